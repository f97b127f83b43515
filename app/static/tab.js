"use strict";
// In the tab, before the page's title: how many conversations are unread, whoever changes either of them.
(() => {
  const badge = document.getElementById("unread-total");
  if (!badge) return;
  const show = () => {
    const title = document.title.replace(/^\(\d+\+?\) /, "");
    const wanted = badge.hidden ? title : `(${badge.textContent}) ${title}`;
    if (document.title !== wanted) document.title = wanted;
  };
  const changes = new MutationObserver(show);
  changes.observe(badge, { attributes: true, childList: true });
  changes.observe(document.querySelector("title"), { childList: true });
  show();
})();
