"""A document as a Markdown page in Chinese and English, made from the document and nothing else.

`docs/methodologies/` is generated from it and compared in the tests: the page cannot say other
than what runs.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from .document import Document, Input, Parameter, Text
from .grade import Approval, SignOff, assess
from .history import noise_credit
from .mathml import mathml
from .words import Field, Object, Settlement, Status

_OBJECTS: Final = {
    Object.PROJECT: "减排项目 project",
    Object.SCENARIO: "减排场景 scenario",
    Object.BEHAVIOUR: "行为场景 behaviour",
}
_FIELDS: Final = {
    Field.GREEN_TRAVEL: "绿色出行 green travel",
    Field.ENERGY_SAVING: "节能降耗 energy saving",
    Field.RESOURCE_RECYCLING: "资源回收 resource recycling",
    Field.RENEWABLE_ENERGY: "可再生能源 renewable energy",
    Field.OTHER: "其他 other",
}
_STATUSES: Final = {
    Status.OFFICIAL_TEXT: "官方原文 official text",
    Status.OFFICIAL_QUOTE: "官方引述 official quote",
    Status.PUBLISHED: "公开数据集 published",
    Status.SECONDARY: "二手来源 secondary",
    Status.MISSING: "**缺失 missing**",
}
_SETTLEMENTS: Final = {
    Settlement.ACT: "逐次 each act",
    Settlement.DAY: "按日 each day",
    Settlement.BILLING_MONTH: "按账单月 each billing month",
}


def render(document: Document) -> str:
    """Write the page of one version."""
    parts = [
        f"# {document.code} v{document.version}: {document.title.zh} / {document.title.en}",
        _proposal(document),
        _facts(document),
        _graded(document),
        _section("输入 Inputs", _inputs(document.inputs)),
        _section("参数 Parameters", _parameters(document)),
        _section("适用条件 Eligibility", _eligibility(document)),
        _section("公式 Formula", _formula(document)),
        _section("上限与证据 Cap and evidence", _limits(document)),
        _section("条款 Clauses", _clauses(document)),
        _section("噪声 Noise", _noise(document)),
        _section("算例 Worked examples", _examples(document)),
        _section("说明 Notes", "\n".join(f"- {_both(each)}" for each in document.notes)),
        _section("来源 Sources", _sources(document)),
        f"文件摘要 SHA-256 of the document: `{document.sha256}`",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def render_index(documents: Iterable[Document]) -> str:
    """Write the page that lists every version with its grade."""
    rows = [
        (
            f"[{each.code}]({each.code}-{each.version}.md)",
            str(each.version),
            _both(each.title),
            _OBJECTS[each.object],
            str(each.effective),
            _grade_now(each),
            _grade_best(each),
        )
        for each in documents
    ]
    heads = ("代码 code", "版本", "名称 title", "分类 class", "生效 from", "现级 now", "可达 best")
    lead = (
        "现级:未签字、未批准时的级别。可达:两名复核人签字且场景获批后的级别。"
        "无级别者因参数缺失拒绝计算。\n\n"
        "*Now*: the grade without sign-offs and approval. *Best*: with two reviewers' sign-offs "
        "and an approved scenario. Without a grade: a parameter is missing and it refuses to run."
    )
    return f"# 方法学库 Methodologies\n\n{lead}\n\n{_grid(heads, rows)}\n"


def _proposal(document: Document) -> str:
    return (
        "> **Tanpu 参考方法学,建议稿 / Tanpu reference, a proposal**" if document.proposal else ""
    )


def _facts(document: Document) -> str:
    until = f" – {document.until}" if document.until else ""
    rows = [
        ("分类 class", f"{_OBJECTS[document.object]}, {_FIELDS[document.field]}"),
        ("发布 issuer", document.issuer),
        ("文件 document", document.document),
        ("文号 official code", document.official_code),
        ("地区 region", document.region),
        ("场景 scenario", document.scenario),
        ("方式 mode", document.mode or ""),
        ("结算 settlement", _SETTLEMENTS[document.settlement]),
        ("有效 in force", f"{document.effective}{until}"),
        ("取代 supersedes", str(document.supersedes or "")),
    ]
    return _grid(("", ""), [row for row in rows if row[1]])


def _graded(document: Document) -> str:
    why = assess(document, on=document.effective).why
    reasons = ", ".join(f"`{each}`" for each in why)
    lines = [f"现级 grade now: **{_grade_now(document)}** ({reasons})", ""]
    lines.append(f"签字获批后 with sign-offs and approval: **{_grade_best(document)}**")
    ceilings = [f"- {each.grade}: {_both(each.reason)}" for each in document.ceilings]
    return "\n".join(["## 分级 Grade", "", *lines, *([""] if ceilings else []), *ceilings])


def _grade_now(document: Document) -> str:
    return assess(document, on=document.effective).grade or "拒绝计算 refuses to run"


def _grade_best(document: Document) -> str:
    on = document.effective
    signed = [SignOff(reviewer=who, sha256=document.sha256, signed_on=on) for who in ("1", "2")]
    approval = Approval(scenario=document.scenario, valid_from=on, valid_until=on)
    return assess(document, sign_offs=signed, approval=approval, on=on).grade or "–"


def _inputs(inputs: Sequence[Input]) -> str:
    rows = [
        (
            f"`{each.name}`",
            each.unit or ", ".join(each.options),
            "" if each.is_choice else f"{each.minimum} – {each.maximum}",
            each.default or "",
            _both(each.help) if each.help else "",
        )
        for each in inputs
    ]
    heads = (
        "名称 name",
        "单位或选项 unit or options",
        "范围 bounds",
        "默认 default",
        "含义 meaning",
    )
    return _grid(heads, rows)


def _parameters(document: Document) -> str:
    rows = [_parameter(each, each.name, each.unit) for each in document.parameters]
    for table in document.tables:
        rows += [_parameter(row, f"{table.name}[{row.name}]", table.unit) for row in table.rows]
    heads = ("名称 name", "数值 value", "单位 unit", "状态 status", "来源 source", "他处 elsewhere")
    return _grid(heads, rows)


def _parameter(each: Parameter, name: str, unit: str) -> tuple[str, ...]:
    title = f"<br>{_both(each.title)}" if each.title else ""
    derived = f"<br>*{each.derived}*" if each.derived else ""
    spread = "<br>".join(f"{s.value} {s.unit}: {s.source}" for s in each.spread)
    value = "–" if each.value is None else str(each.value)
    status = _STATUSES[each.status]
    return (f"`{name}`{title}", value, unit, status, f"{each.source}{derived}", spread)


def _eligibility(document: Document) -> str:
    rows = [(f"`{each.require}`", f"`{each.reason}`", each.source) for each in document.eligibility]
    return _grid(("须满足 requires", "否则 else", "来源 source"), rows)


def _formula(document: Document) -> str:
    return "\n\n".join(
        f"{mathml(step.name, step.expression)}\n\n    {step.name} = {step.expression}"
        for step in document.steps
    )


def _limits(document: Document) -> str:
    accepts = ", ".join(f"`{each}`" for each in document.evidence.accepts)
    lines = [f"- 接受的证据 accepted evidence: {accepts}; 自报折半 self-declared counts half"]
    if document.cap_mg is not None:
        grams = _grams(document.cap_mg)
        lines.insert(0, f"- 每人每日 per person and day: {grams} ({document.cap_source})")
    return "\n".join(lines)


def _clauses(document: Document) -> str:
    rows = [
        (f"`{each.name}`", _STATUSES[each.status], _both(each.text), each.source)
        for each in document.clauses
    ]
    return _grid(("条款 clause", "状态 status", "内容 content", "来源 source"), rows)


def _noise(document: Document) -> str:
    found = noise_credit(document)
    if found is None:
        return ""
    grams = _grams(found.credited_mg)
    return (
        f"一户 {found.days} 天用电 {found.used_kwh} kWh,均值不变,实际净节约 "
        f"{found.net_saved_kwh} kWh,本方法学计入 {grams}。\n\n"
        f"A household that uses {found.used_kwh} kWh in {found.days} days around one unchanging "
        f"mean saves {found.net_saved_kwh} kWh net; this document credits {grams}."
    )


def _examples(document: Document) -> str:
    rows = [
        (
            ", ".join(f"{name} = {value}" for name, value in each.given.items()) or "–",
            each.evidence,
            each.reduction or f"`{each.reason}`",
        )
        for each in document.examples
    ]
    return _grid(("给定 given", "证据 evidence", "结果 expect"), rows)


def _sources(document: Document) -> str:
    return "\n".join(_source_lines(document))


def _source_lines(document: Document) -> Iterator[str]:
    for each in document.sources:
        yield f"- **{each.id}**: {each.text}" + (f" <{each.url}>" if each.url else "")


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}" if body else ""


def _grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_cell(each) for each in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _grams(mg: int) -> str:
    return f"{Decimal(mg).scaleb(-3).normalize():f} g"


def _both(text: Text) -> str:
    return f"{text.zh} / {text.en}"
