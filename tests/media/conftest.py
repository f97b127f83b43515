"""Media on disk and in a real S3-compatible server, which speaks HTTP in a process of its own."""

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.session import get_session

from tests.people import Person
from tests.servers import free_port, is_up, wait_until

PNG = b"\x89PNG\r\n\x1a\n"
SECRET = "a-secret-that-nobody-may-read"


class Bucket:
    def __init__(self, url: str, name: str) -> None:
        self.url, self.name = url, name
        self.client: Any = get_session().create_client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key=SECRET
        )

    def files(self) -> list[str]:
        return [each["Key"] for each in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environment = os.environ | {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": SECRET}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: is_up(url), 30)
            yield url
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture
def bucket(s3_url: str) -> Iterator[Bucket]:
    bucket = Bucket(s3_url, "greenroom")
    bucket.client.create_bucket(Bucket=bucket.name)
    yield bucket
    for file in bucket.files():
        bucket.client.delete_object(Bucket=bucket.name, Key=file)
    bucket.client.delete_bucket(Bucket=bucket.name)


@pytest.fixture
def keep_in(app, monkeypatch):
    """Changes the settings of where new files go."""

    def keep_in(store: str, endpoint: str = "") -> None:
        settings = {"MEDIA_STORE": store, "S3_ENDPOINT": endpoint, "S3_KEY_ID": "key", "S3_SECRET": SECRET}
        for name, value in settings.items():
            monkeypatch.setitem(app.config, name, value)
        monkeypatch.setitem(app.extensions, "greenroom_media_stores", {})

    return keep_in


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, keep_in) -> str:
    """Each of the two, in use."""
    if request.param == "s3":
        bucket = request.getfixturevalue("bucket")
        keep_in("s3://greenroom/of/ada", bucket.url)
    return request.param


def upload(person: Person, content: bytes = PNG + b"picture", name: str = "a.png", status: int = 201) -> Any:
    answer = person.call("POST", "/api/media", data={"file": (io.BytesIO(content), name)})
    assert answer.status_code == status, answer.text
    return answer.get_json()


@contextmanager
def running_site(handler: type) -> Iterator[str]:
    import http.server
    import threading

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
