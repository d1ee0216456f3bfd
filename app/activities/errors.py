"""What refuses a whole upload (整批拒绝); the fate of a single line is an outcome, not an error."""

from app.kernel.problems import Refusal


class UploadRefused(Refusal):
    """The file cannot be taken in; nothing of it was."""

    code = "upload.refused"
    status = 422
    title_zh = "文件无法接收"


class UploadEmpty(UploadRefused):
    """There is no line in the file."""

    code = "upload.empty"
    title_zh = "文件为空"


class UploadTooLarge(UploadRefused):
    """The file, or what it unpacks to, is larger than an upload may be."""

    code = "upload.too_large"
    status = 413
    title_zh = "文件过大"


class UploadDamaged(UploadRefused):
    """The file is compressed or columnar, and damaged or cut off."""

    code = "upload.damaged"
    title_zh = "文件损坏或不完整"


class UploadEncoding(UploadRefused):
    """The file is not UTF-8."""

    code = "upload.encoding"
    title_zh = "文件不是 UTF-8 编码"


class UploadHeader(UploadRefused):
    """The header lacks a column, has one twice, or names one that the methodology does not know."""

    code = "upload.header"
    title_zh = "表头缺列、重复或含未知列"


class UploadFormat(UploadRefused):
    """The file is none of CSV, NDJSON and Parquet."""

    code = "upload.format"
    title_zh = "文件格式不是 CSV、NDJSON 或 Parquet"


class UploadReused(Refusal):
    """An upload with this id was begun by another provider or with another content."""

    code = "upload.reused"
    title_zh = "该批次编号已用于另一批数据"


class ParameterMissing(Refusal):
    """The methodology refuses to run: a number of its formula has no published source."""

    code = "methodology.parameter_missing"
    status = 422
    title_zh = "方法学缺少参数，不能运行"


class MethodologyAltered(Refusal):
    """A published version of this methodology has another digest: what is published is frozen."""

    code = "methodology.altered"
    title_zh = "已发布的方法学版本内容不一致"


class MethodologyUnknown(Refusal):
    """There is no methodology with this code and version."""

    code = "methodology.unknown"
    status = 404
    title_zh = "没有这个方法学版本"


class BoundaryMalformed(Refusal):
    """An entry of the boundary list or another name of a place is not in its form."""

    code = "boundary.malformed"
    status = 422
    title_zh = "边界清单条目或别名格式不正确"


class BoundaryUnknown(Refusal):
    """This subject or place is not on the boundary list on that day."""

    code = "boundary.unknown"
    status = 404
    title_zh = "该日边界清单中没有这一项"
