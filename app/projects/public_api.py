"""Registered projects for anybody (减排项目公示接口): nothing personal of a citizen's."""

from uuid import UUID

from fastapi import APIRouter

from app.kernel.http import problems
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Db, Secrets
from app.projects.public_schemas import PublicProjectPage
from app.projects.showing import public_projects

router = APIRouter(prefix="/v1/public", tags=["projects 减排项目"])


@router.get(
    "/projects",
    operation_id="listPublicProjects",
    summary="Registered projects 减排项目公示",
    responses=problems(s422="The cursor is not of the documented form."),
)
def list_public_projects(
    db: Db, keys: Secrets, limit: Limit = 50, cursor: Cursor = None
) -> PublicProjectPage:
    """List what was registered, ended ones too, with what it accrued so far."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(public_projects, keys, before=before, limit=limit + 1)
    return page_of(
        PublicProjectPage, found, limit, lambda each: each[1], lambda last: (last[0].id,)
    )
