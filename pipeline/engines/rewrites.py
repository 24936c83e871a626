"""The differences between DuckDB and Spark that sqlglot does not know: one function each, with its reason.

Each function takes a node of a statement's tree, as sqlglot reads it from DuckDB's SQL, and returns the node that
means the same on Spark. It returns a node that it does not concern unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, cast
from zlib import crc32

from sqlglot import exp

__all__ = ["REWRITES", "Rewrite", "UnsupportedError"]

Rewrite: TypeAlias = Callable[[exp.Expr], exp.Expr]

#: The characters that mean something in a regular expression.
_SPECIAL = r"\.+*?()|[]{}^$#&-~"


class UnsupportedError(ValueError):
    """A statement says something that has no equal on Spark; the text says what."""


def day_interval(node: exp.Expr) -> exp.Expr:
    """Spark writes a number of days that is not a literal with a function of its own."""
    if isinstance(node, exp.ToDays):
        return exp.func("make_dt_interval", node.this)
    if isinstance(node, exp.Interval) and not isinstance(node.this, exp.Literal):
        if node.text("unit").upper() != "DAY":
            raise UnsupportedError(f"an interval of a variable number of {node.text('unit').lower()}s")
        return exp.func("make_dt_interval", node.this.unnest())
    return node


def day_difference(node: exp.Expr) -> exp.Expr:
    """Count midnights between two times, as DuckDB does; Spark's DATEDIFF with a unit counts whole 24 hours."""
    if not isinstance(node, exp.DateDiff):
        return node
    if node.text("unit").upper() != "DAY":
        raise UnsupportedError(f"a difference in {node.text('unit').lower()}s")
    return exp.func("datediff", exp.cast(node.this, "date"), exp.cast(node.expression, "date"))


def truncated_time(node: exp.Expr) -> exp.Expr:
    """Keep a time without a zone: Spark gives a truncated one a zone."""
    if isinstance(node, exp.TimestampTrunc):
        return exp.cast(node.copy(), "timestamp_ntz", dialect="spark")
    return node


def seconds_of_difference(node: exp.Expr) -> exp.Expr:
    """Spark has no function for the seconds of an interval, only for those since 1970."""
    if not isinstance(node, exp.TimeToUnix):
        return node
    difference = node.this.unnest()
    if not isinstance(difference, exp.Sub):
        raise UnsupportedError("epoch() of anything but the difference of two times")
    micros = exp.Sub(
        this=exp.func("unix_micros", exp.cast(difference.this, "timestamptz")),
        expression=exp.func("unix_micros", exp.cast(difference.expression, "timestamptz")),
    )
    return exp.paren(exp.Div(this=exp.cast(exp.paren(micros), "double"), expression=exp.Literal.number(1_000_000)))


def aggregated_list(node: exp.Expr) -> exp.Expr:
    """A list of no rows is null in DuckDB and empty on Spark, and only DuckDB sorts inside the call.

    Rows to sort are put into structs that begin with the keys, which are sorted and taken out again.
    """
    filtered = node if isinstance(node, exp.Filter) else None
    call = node.this if filtered else node
    if not isinstance(call, exp.ArrayAgg | exp.GroupConcat) or (not filtered and isinstance(node.parent, exp.Filter)):
        return node
    value, function, name = call.this, "collect_list", ""
    keys: list[exp.Expr] = []
    if isinstance(value, exp.Order):
        if any(key.args.get("desc") for key in value.expressions):
            raise UnsupportedError("a list in descending order")
        keys = [key.this for key in value.expressions]
        value = value.this
    if isinstance(value, exp.Distinct):
        if keys and keys != value.expressions:
            raise UnsupportedError("distinct values in the order of another value")
        (value,) = value.expressions
        function = "collect_set"
    if function == "collect_list" and keys:
        # Sail takes two lists of structs with the same names of fields for one.
        name = f"value_{crc32(call.sql('duckdb').encode()):x}"
        fields = [exp.alias_(key.copy(), f"key_{position}") for position, key in enumerate(keys)]
        collected: exp.Expr = exp.func(function, exp.func("struct", *fields, exp.alias_(value.copy(), name)))
    else:
        collected = exp.func(function, value.copy())
    if filtered:
        collected = exp.Filter(this=collected, expression=filtered.expression.copy())
    listed: exp.Expr = exp.func("nullif", collected, exp.func("array"))
    if keys:
        listed = exp.func("array_sort", listed)
    if function == "collect_list" and keys:
        row, field = exp.to_identifier("row"), exp.to_identifier(name)
        value_of_row = exp.Lambda(this=exp.Dot(this=row.copy(), expression=field), expressions=[row])
        listed = exp.Anonymous(this="transform", expressions=[listed, value_of_row])
    if isinstance(call, exp.GroupConcat):
        listed = exp.func("array_join", listed, call.args.get("separator") or exp.Literal.string(","))
    return listed


def list_slice(node: exp.Expr) -> exp.Expr:
    """Spark takes the first values of a list with a function."""
    if not (isinstance(node, exp.Bracket) and any(isinstance(part, exp.Slice) for part in node.expressions)):
        return node
    (part,) = node.expressions
    if part.this is not None or part.expression is None:
        raise UnsupportedError("a slice of a list that does not begin at its first value")
    return exp.func("slice", node.this.unnest(), exp.Literal.number(1), part.expression)


def split_by_text(node: exp.Expr) -> exp.Expr:
    """Spark splits by a regular expression, and Sail's has no \\Q...\\E, which sqlglot would write."""
    if not isinstance(node, exp.Split):
        return node
    if not isinstance(node.expression, exp.Literal):
        raise UnsupportedError("a separator that is not a literal")
    pattern = "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in node.expression.name)
    return exp.Anonymous(this="split", expressions=[node.this, exp.Literal.string(pattern)])


def grouped_digits(node: exp.Expr) -> exp.Expr:
    """Write thousands apart, for which both have a function with a format of its own."""
    if isinstance(node, exp.Format) and node.this.name == "{:,}":
        (number,) = node.expressions
        return exp.func("format_number", number, exp.Literal.number(0))
    return node


def json_object(node: exp.Expr) -> exp.Expr:
    """A cast of a value to JSON is a function on Spark. Here too a field that is null is written.

    Spark leaves such fields out unless it is told otherwise, and Sail always does, but neither leaves out the null in
    a list. So each value is written as a list of one, without its brackets.
    """
    if not (isinstance(node, exp.Cast) and node.to.is_type("json")):
        return node
    if isinstance(node.this, exp.Null):
        return exp.cast(exp.null(), "text")
    if not isinstance(node.this, exp.Struct):
        raise UnsupportedError("a cast to JSON of anything but a struct")
    text: exp.Expr | None = None
    for field in node.this.expressions:
        name = exp.Literal.string(f'{"{" if text is None else ","}"{field.this.name}":')
        brackets = exp.Literal.string(r"^\[|\]$")
        listed = exp.func("to_json", exp.func("array", field.expression))
        value = exp.Anonymous(this="regexp_replace", expressions=[listed, brackets, exp.Literal.string("")])
        text = exp.DPipe(this=exp.DPipe(this=text, expression=name) if text else name, expression=value)
    return exp.paren(exp.DPipe(this=text, expression=exp.Literal.string("}")))


def decimal_literal(node: exp.Expr) -> exp.Expr:
    """Write 0.5 as a double, as DuckDB does beside one: Sail gives the decimal 0.0 no room for 1.5."""
    if isinstance(node, exp.Literal) and node.is_number and "." in node.name and "E" not in node.name:
        return exp.Literal.number(f"{node.name}E0")
    return node


def rounding(node: exp.Expr) -> exp.Expr:
    """Round to decimals as DuckDB does: Spark rounds the shortest text of the number, so 11.35 differs."""
    decimals = node.args.get("decimals") if isinstance(node, exp.Round) else None
    if decimals is None:
        return node
    power = exp.cast(exp.Literal.number(10 ** int(decimals.name)), "double")
    scaled = exp.Mul(this=exp.paren(exp.cast(node.this, "double")), expression=power)
    return exp.paren(exp.Div(this=exp.Round(this=scaled), expression=power.copy()))


def group_by_all(node: exp.Expr) -> exp.Expr:
    """Name the keys, which Sail does not find by itself."""
    if not isinstance(node, exp.Select) or not node.args.get("group") or not node.args["group"].args.get("all"):
        return node
    keys = [part.unalias() for part in node.selects if not part.find(exp.AggFunc)]
    node.set("group", exp.Group(expressions=[key.copy() for key in keys]))
    return node


def unmaterialized(node: exp.Expr) -> exp.Expr:
    """Spark decides itself whether it keeps the rows of a CTE."""
    if isinstance(node, exp.CTE) and node.args.get("materialized") is not None:
        node.set("materialized", None)
    return node


def cross_join_first(node: exp.Expr) -> exp.Expr:
    """Name first what is cross-joined, which has few rows: Sail holds the left side of a cross join as one batch."""
    if not isinstance(node, exp.Select) or any(isinstance(part, exp.Star) for part in node.expressions):
        return node
    crossed = [join for join in node.args.get("joins") or [] if join.kind == "CROSS"]
    if not crossed or not all(isinstance(join.this, exp.Table | exp.Subquery) for join in crossed):
        return node
    first, *others = [join.this for join in crossed]
    joined = [exp.Join(this=table, kind="CROSS") for table in [*others, node.args["from_"].this]]
    kept = [join for join in node.args["joins"] if join.kind != "CROSS"]
    node.set("from_", exp.From(this=first))
    node.set("joins", joined + kept)
    return node


#: In this order: each sees what those before it have made.
REWRITES: tuple[Rewrite, ...] = tuple(
    cast("Rewrite", rewrite)
    for rewrite in (
        unmaterialized,
        cross_join_first,
        group_by_all,
        day_interval,
        day_difference,
        truncated_time,
        seconds_of_difference,
        aggregated_list,
        list_slice,
        split_by_text,
        grouped_digits,
        json_object,
        decimal_literal,
        rounding,
    )
)
