"""What S3 does with one request to a bucket in memory."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import escape

from support.memory_bucket import (
    BUCKET,
    Answer,
    Bucket,
    Object,
    Request,
    Upload,
    crc_of,
    error,
    md5_of,
)

META = "x-amz-meta-"


@dataclass
class Operation:
    """One request, carried out."""

    store: Bucket
    request: Request
    body: bytes

    def answer(self) -> Answer:
        method, query = self.request.method, self.request.query
        anonymous = "authorization" not in self.request.headers and "X-Amz-Signature" not in query
        if anonymous and not self.may_be_read():
            return error(403, "AccessDenied")
        if "list-type" in query:
            return self.list_objects()
        if "uploads" in query:
            return self.begin() if method == "POST" else self.list_uploads()
        if "uploadId" in query:
            return self.of_upload(self.store.uploads.get(query["uploadId"]))
        return {"GET": self.get, "HEAD": self.get, "PUT": self.put, "DELETE": self.delete}[method]()

    def may_be_read(self) -> bool:
        found = self.store.objects.get(self.request.key)
        return self.store.public or (found is not None and found.acl == "public-read")

    def get(self) -> Answer:
        found = self.store.objects.get(self.request.key)
        if found is None:
            return error(404, "NoSuchKey")
        if self.request.headers.get("if-match", found.etag).strip('"') != found.etag:
            return error(412, "PreconditionFailed")
        headers = {
            **{name: value for name, value in found.headers.items() if name.startswith(META)},
            **{
                "ETag": f'"{found.etag}"',
                "Last-Modified": format_datetime(found.written + self.store.clock, usegmt=True),
            },
        }
        if found.crc and "x-amz-checksum-mode" in self.request.headers:
            headers["x-amz-checksum-crc32"] = found.crc
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.request.headers.get("range", ""))
        if asked is None:
            return Answer(200, found.body, headers)
        body = found.body[int(asked[1]) : int(asked[2]) + 1 if asked[2] else None]
        span = f"bytes {asked[1]}-{int(asked[1]) + len(body) - 1}/{len(found.body)}"
        return Answer(206, body, {**headers, "Content-Range": span})

    def put(self) -> Answer:
        key, headers = self.request.key, dict(self.request.headers)
        if "acl" in self.request.query:
            self.store.objects[key].acl = headers["x-amz-acl"]
            return Answer()
        if refused := self.refused():
            return refused
        crc = headers.get("x-amz-checksum-crc32", "")
        if crc and crc != crc_of(self.body):
            return error(400, "BadDigest")
        made = Object(self.body, md5_of(self.body), headers, acl=headers.get("x-amz-acl", ""))
        made.crc = crc if self.store.checksums else ""
        self.store.objects[key] = made
        return Answer(headers={"ETag": f'"{made.etag}"'})

    def refused(self) -> Answer | None:
        """Return the answer to a condition that does not hold."""
        found = self.store.objects.get(self.request.key)
        match = self.request.headers.get("if-match")
        if match and found is None:
            return error(404, "NoSuchKey")
        differs = match and found is not None and match.strip('"') != found.etag
        if differs or (found and self.request.headers.get("if-none-match") == "*"):
            return error(412, "PreconditionFailed")
        return None

    def delete(self) -> Answer:
        if refused := self.refused():
            return refused
        self.store.objects.pop(self.request.key, None)
        return Answer(204)

    def begin(self) -> Answer:
        upload = f"u{next(self.store.numbers)}"
        self.store.uploads[upload] = Upload(self.request.key, dict(self.request.headers))
        said = {"Bucket": BUCKET, "Key": self.request.key, "UploadId": upload}
        return _document("InitiateMultipartUploadResult", said)

    def of_upload(self, upload: Upload | None) -> Answer:
        query, method = self.request.query, self.request.method
        if upload is None:
            return error(404, "NoSuchUpload")
        if method == "GET":
            return self.list_parts(upload)
        if method == "PUT":
            return self.put_part(upload, int(query["partNumber"]))
        if method == "POST":
            return self.complete(upload)
        del self.store.uploads[query["uploadId"]]
        return Answer(204)

    def put_part(self, upload: Upload, number: int) -> Answer:
        if "x-amz-copy-source" in self.request.headers:
            return self.copy_part(upload, number)
        crc = self.request.headers.get("x-amz-checksum-crc32", "")
        if crc and crc != crc_of(self.body):
            return error(400, "BadDigest")
        etag = md5_of(self.body)
        upload.parts[number] = (self.body, etag, crc if self.store.checksums else "")
        known = {"x-amz-checksum-crc32": crc} if crc and self.store.checksums else {}
        return Answer(headers={"ETag": f'"{etag}"', **known})

    def copy_part(self, upload: Upload, number: int) -> Answer:
        headers = self.request.headers
        _, key = unquote(headers["x-amz-copy-source"]).split("/", 1)
        found = self.store.objects.get(key)
        if found is None:
            return error(404, "NoSuchKey")
        if headers.get("x-amz-copy-source-if-match", found.etag).strip('"') != found.etag:
            return error(412, "PreconditionFailed")
        start, end = headers["x-amz-copy-source-range"].removeprefix("bytes=").split("-")
        body = found.body[int(start) : int(end) + 1]
        crc = crc_of(body) if self.store.checksums else ""
        upload.parts[number] = (body, md5_of(body), crc)
        said = {"ETag": f'"{md5_of(body)}"'} | ({"ChecksumCRC32": crc} if crc else {})
        return _document("CopyPartResult", said)

    def complete(self, upload: Upload) -> Answer:
        if refused := self.refused():
            return refused
        if self.store.strict and any(len(part) > 2 for part in ET.fromstring(self.body)):
            return error(400, "MalformedXML")
        named = [
            (int(_text(part, "PartNumber")), _text(part, "ETag").strip('"'))
            for part in ET.fromstring(self.body)
        ]
        there = [(number, part[1]) for number, part in sorted(upload.parts.items())]
        if named != there:
            return error(400, "InvalidPart")
        body = b"".join(part[0] for _, part in sorted(upload.parts.items()))
        crc = self.request.headers.get("x-amz-checksum-crc32", "")
        if crc and crc != crc_of(body):
            return error(400, "BadDigest")
        etag = f"{md5_of(body)}-{len(named)}"
        acl = upload.headers.get("x-amz-acl", "")
        made = Object(body, etag, upload.headers, crc if self.store.checksums else "", acl)
        self.store.objects[upload.key] = made
        del self.store.uploads[self.request.query["uploadId"]]
        return _document("CompleteMultipartUploadResult", {"ETag": f'"{etag}"'})

    def list_objects(self) -> Answer:
        prefix = self.request.query.get("prefix", "")
        found = sorted(item for item in self.store.objects.items() if item[0].startswith(prefix))
        return self.page(
            "ListBucketResult",
            "Contents",
            [
                {"Key": key, "Size": len(one.body), "LastModified": self.shown(one.written)}
                for key, one in found
            ],
            self.request.query.get("continuation-token", "0"),
            lambda start: {"NextContinuationToken": start},
        )

    def list_uploads(self) -> Answer:
        prefix = self.request.query.get("prefix", "")
        found = [item for item in self.store.uploads.items() if item[1].key.startswith(prefix)]
        return self.page(
            "ListMultipartUploadsResult",
            "Upload",
            [
                {"Key": one.key, "UploadId": upload, "Initiated": self.shown(one.begun)}
                for upload, one in found
            ],
            self.request.query.get("upload-id-marker", "0"),
            lambda start: {"NextKeyMarker": "on", "NextUploadIdMarker": start},
        )

    def list_parts(self, upload: Upload) -> Answer:
        return self.page(
            "ListPartsResult",
            "Part",
            [
                {"PartNumber": number, "ETag": f'"{etag}"', "Size": len(body)}
                | ({"ChecksumCRC32": crc} if crc else {})
                for number, (body, etag, crc) in sorted(upload.parts.items())
            ],
            self.request.query.get("part-number-marker", "0"),
            lambda start: {"NextPartNumberMarker": start},
        )

    def page(
        self,
        name: str,
        entry: str,
        entries: Sequence[Mapping[str, Any]],
        start: str,
        following: Callable[[int], Mapping[str, Any]],
    ) -> Answer:
        """Return a page of a listing; where it goes on is an index."""
        end = int(start) + self.store.page
        more = end < len(entries)
        head = {"IsTruncated": str(more).lower(), **(following(end) if more else {})}
        shown = "".join(_element(entry, one) for one in entries[int(start) : end])
        return _document(name, head, shown)

    def shown(self, moment: datetime) -> str:
        """Return a moment as a listing has it, by the store's clock."""
        return (moment + self.store.clock).isoformat()


def _element(name: str, values: Mapping[str, Any], rest: str = "") -> str:
    inner = "".join(f"<{key}>{escape(str(value))}</{key}>" for key, value in values.items())
    return f"<{name}>{inner}{rest}</{name}>"


def _document(name: str, values: Mapping[str, Any], rest: str = "") -> Answer:
    return Answer(200, _element(name, values, rest).encode())


def _text(element: ET.Element, name: str) -> str:
    return next(one.text or "" for one in element if one.tag.rpartition("}")[2] == name)
