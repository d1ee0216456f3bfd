"""Certificates (注销证书): what anybody may see and check of one cancellation or retirement.

The proof is put together once, when the epoch of its transfers is final on the chain, and kept: it
holds commitments only. Whom it names is opened as it is asked for, by choice of its owner, and can
be withdrawn for ever; where the desk did that, it says so. What corrections took back since is
asked each time, signed, and said first.
As a page, to print, and as JSON that is checked without this server (docs/decisions/0036).
"""

from app.certificates.issuing import issue_certificates
from app.certificates.reading import Shown, find_certificate
from app.certificates.takedowns import PREFIX

__all__ = ["PREFIX", "Shown", "find_certificate", "issue_certificates"]
