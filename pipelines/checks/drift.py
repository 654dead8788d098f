"""A check for any extract: whether its API's schema is still the one that its query was checked against."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from pipelines.schema.answers import answering
from resources.errors import ExtractionError
from resources.graphql.query import Query, load_schema
from resources.graphql.schema import Drift, Kind, find_drift
from resources.graphql_resource import ApiResource

SHOWN = 100  # changes of a kind in the metadata
NEXT = "targetdata schema diff shows them, targetdata schema pull rewrites the queries to fit"


def drift_check(
    asset: dg.AssetsDefinition, query: Query, *, schema_file: Path, resource: str
) -> dg.AssetChecksDefinition:
    """Make the check `schema_drift` of an extract; `resource` is the key of the API's resource in Dagster.

    It runs with the asset, once a run, and blocks nothing. A breaking change that the query uses is an error;
    a dangerous one, or one that it does not use, a warning. That the schemas could not be compared is a
    warning too: the run's rows are published by then.
    """

    @dg.asset_check(asset=asset, name="schema_drift", required_resource_keys={resource})
    def schema_drift(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        """Compare the API's schema with the one that is kept; see docs/schema.md."""
        api: ApiResource = getattr(context.resources, resource)
        try:
            known = load_schema(schema_file)
            drift = find_drift(answering(api.client), known, {query.name: query.document})
        except ExtractionError as error:
            return dg.AssetCheckResult(
                passed=False,
                severity=dg.AssetCheckSeverity.WARN,
                description=f"the schemas could not be compared: {error}",
            )
        return result(drift)

    return schema_drift


def result(drift: Drift) -> dg.AssetCheckResult:
    """Judge a drift."""
    used = drift.of(Kind.BREAKING, used=True)
    odd = drift.of(Kind.BREAKING, Kind.DANGEROUS)
    return dg.AssetCheckResult(
        passed=not odd,
        severity=dg.AssetCheckSeverity.ERROR if used else dg.AssetCheckSeverity.WARN,
        description=description(drift) or None,
        metadata=metadata(drift),
    )


def description(drift: Drift) -> str:
    """Say what a person should know."""
    used, odd = drift.of(Kind.BREAKING, used=True), drift.of(Kind.BREAKING, Kind.DANGEROUS)
    places = ", ".join(dict.fromkeys(change.place for change in used))
    broken = [f"the query uses what has changed so that it may fail: {places}. {NEXT}"] if used else []
    others = [f"the schema has changed, but the query goes on working. {NEXT}"] if odd and not used else []
    return "; ".join([*broken, *others, *drift.notes])


def metadata(drift: Drift) -> Mapping[str, dg.MetadataValue]:
    """Count the changes and name them."""
    listed = {
        str(kind): [
            {"place": change.place, "change": change.text, "used": bool(change.used_by)}
            for change in drift.of(kind)[:SHOWN]
        ]
        for kind in Kind
    }
    return {
        **{f"{kind}_changes": dg.MetadataValue.int(len(drift.of(kind))) for kind in Kind},
        "used_changes": dg.MetadataValue.int(len(drift.of(*Kind, used=True))),
        "introspected": dg.MetadataValue.bool(drift.introspected),
        "changes": dg.MetadataValue.json({kind: found for kind, found in listed.items() if found}),
    }
