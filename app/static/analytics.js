"use strict";
// The chart above the table of revenue, drawn from that table's own cells: the numbers stand in the page once.
(() => {
  const LIGHT = ["#0b7350", "#2f6fb3", "#b3761a", "#8a4fb0", "#5f6570", "#b3403a", "#7a2f2b"];
  const DARK = ["#35b283", "#6fa8e6", "#e0a64e", "#bf8fe0", "#a2a7b0", "#ef7f78", "#c9625c"];
  const PATTERN = 8; // pixels

  // Each kind has its own strokes as well as its own colour, in every period the same.
  const STROKES = [
    () => {},
    (pen) => line(pen, 0, PATTERN, PATTERN, 0),
    (pen) => line(pen, 0, PATTERN / 2, PATTERN, PATTERN / 2),
    (pen) => pen.fillRect(2, 2, 3, 3),
    (pen) => line(pen, PATTERN / 2, 0, PATTERN / 2, PATTERN),
    (pen) => line(pen, 0, 0, PATTERN, PATTERN),
    (pen) => {
      line(pen, 0, 0, PATTERN, PATTERN);
      line(pen, 0, PATTERN, PATTERN, 0);
    },
  ];

  const line = (pen, fromX, fromY, toX, toY) => {
    pen.beginPath();
    pen.moveTo(fromX, fromY);
    pen.lineTo(toX, toY);
    pen.stroke();
  };

  const isDark = () => document.documentElement.dataset.bsTheme === "dark";

  const fill = (place) => {
    const tile = document.createElement("canvas");
    tile.width = tile.height = PATTERN;
    const pen = tile.getContext("2d");
    const colours = isDark() ? DARK : LIGHT;
    pen.fillStyle = colours[place % colours.length];
    pen.fillRect(0, 0, PATTERN, PATTERN);
    pen.strokeStyle = pen.fillStyle = isDark() ? "rgb(0 0 0 / 55%)" : "rgb(255 255 255 / 75%)";
    pen.lineWidth = 1.5;
    STROKES[place % STROKES.length](pen);
    return pen.createPattern(tile, "repeat");
  };

  const dollars = (cents) => {
    const sign = cents < 0 ? "-" : "";
    return `${sign}$${(Math.abs(cents) / 100).toLocaleString("en-US", { minimumFractionDigits: 2 })}`;
  };

  const read = (table) => {
    const rows = [...table.tBodies[0].rows];
    const kinds = [...table.tHead.querySelectorAll("[data-kind]")];
    return {
      labels: rows.map((row) => row.cells[0].dataset.label),
      datasets: kinds.map((kind, column) => ({
        label: kind.textContent,
        data: rows.map((row) => Number(row.cells[column + 1].dataset.cents)),
        backgroundColor: fill(Number(kind.dataset.place)),
      })),
    };
  };

  const options = () => {
    const style = getComputedStyle(document.body);
    const quiet = style.getPropertyValue("color");
    const rule = isDark() ? "#2e3033" : "#e6e7e9";
    return {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { stacked: true, grid: { display: false }, border: { color: rule }, ticks: { color: quiet, maxRotation: 0 } },
        y: {
          stacked: true,
          border: { display: false },
          grid: { color: rule },
          ticks: { color: quiet, maxTicksLimit: 6, callback: (cents) => dollars(cents).replace(/\.00$/, "") },
        },
      },
      plugins: {
        legend: { position: "bottom", align: "start", labels: { color: quiet, boxWidth: 16, boxHeight: 16 } },
        tooltip: {
          filter: (item) => item.raw !== 0,
          callbacks: {
            label: (item) => `${item.dataset.label}: ${dollars(item.raw)}`,
            footer: (items) => `All: ${dollars(items.reduce((sum, item) => sum + item.raw, 0))}`,
          },
        },
      },
      datasets: { bar: { maxBarThickness: 36, categoryPercentage: 0.9, barPercentage: 0.9 } },
    };
  };

  const draw = (Chart) => {
    const box = document.querySelector("[data-chart]");
    const table = box && document.getElementById(box.dataset.chart);
    if (!table) return;
    box.hidden = false;
    let chart;
    const again = () => {
      chart?.destroy();
      chart = new Chart(box.querySelector("canvas"), { type: "bar", data: read(table), options: options() });
    };
    again();
    new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  };

  window.greenroom.whenReady("Chart", draw);
})();
