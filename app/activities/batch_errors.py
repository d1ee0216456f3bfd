"""What is refused of a batch over HTTP (线上批次的拒绝), beside what is refused of any upload."""

from app.activities.errors import UploadTooLarge
from app.kernel.problems import Refusal


class BatchTooLong(UploadTooLarge):
    """A batch over HTTP has at most 10,000 lines; send several, or a file."""

    code = "upload.too_many_lines"
    title_zh = "批次行数超过上限"


class BatchUnknown(Refusal):
    """This provider has no batch with this id."""

    code = "upload.unknown"
    status = 404
    title_zh = "没有这个批次"


class MediaTypeUnknown(Refusal):
    """A batch is newline-delimited JSON, application/x-ndjson."""

    code = "upload.media_type"
    status = 415
    title_zh = "批次须为 application/x-ndjson"
