"""What importers refuse whole (导入器的整批拒绝)."""

from app.activities.errors import UploadRefused


class FormatUnknown(UploadRefused):
    """No importer has this name; `tanpu ingest --help` lists them."""

    code = "upload.importer_unknown"
    title_zh = "没有这种导入格式"


class NotPersonal(UploadRefused):
    """A municipality's tonnage is nobody's own act, and counts for no citizen (R12)."""

    code = "upload.not_personal"
    title_zh = "市政清运量不是任何市民的行为，不予计入"
