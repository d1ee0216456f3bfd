"""What is refused about certificates (证书的拒绝)."""

from app.kernel.problems import Refusal


class CertificateUnknown(Refusal):
    """There is no such certificate; one of a cancellation comes once that is final."""

    code = "certificates.unknown"
    status = 404
    title_zh = "没有这份证书（注销终局后方出具）"


class TextUnknown(Refusal):
    """You have no such text to withdraw; it may have been withdrawn before."""

    code = "certificates.text_unknown"
    status = 404
    title_zh = "没有可撤回的文字（可能已撤回）"
