"""`GraphQLExtract`: the asset of the `.graphql` document beside a `defs.yaml`."""

import re
from pathlib import Path
from typing import ClassVar, cast

import dagster as dg

from pipelines.api import Api, mark_in
from pipelines.checks import extract_checks
from pipelines.checks.drift import drift_check
from pipelines.components.asset import Policies, extract_asset, require_keys
from pipelines.components.component import ComponentOptions, YamlComponent
from pipelines.components.extract_options import GraphQLExtractOptions
from pipelines.components.given import Given
from pipelines.environment import environment
from pipelines.needed import Need
from pipelines.plan.chosen import ChosenKeys
from pipelines.root import from_root, shown
from resources.errors import ExtractionError
from resources.feed import read_key_file
from resources.graphql.plan import Keyed, Paging
from resources.graphql.query import Options as QueryOptions
from resources.graphql.query import Query
from resources.privacy import Privacy


class GraphQLExtract(YamlComponent[GraphQLExtractOptions]):
    """An extract: the `.graphql` document beside it, an asset of its name, and the asset's checks."""

    options_model: ClassVar[type[ComponentOptions]] = GraphQLExtractOptions
    need: Need | None = None

    def define(self, given: Given) -> dg.Definitions:
        """Define the asset and its checks."""
        document = self._document(given)
        api = self._api(given, document)
        query = self._query(given, document, api)
        asset = self._asset(given, query, api)
        checks = extract_checks(asset, query)
        if self.options.schema_drift:
            file = self._schema_file(api)
            checks.append(drift_check(asset, query, schema_file=file, resource=str(api)))
        return dg.Definitions(assets=[asset], asset_checks=checks)

    def _document(self, given: Given) -> Path:
        """Find the document."""
        if name := self.options.document:
            if not (given.folder / name).is_file():
                raise given.error("document", reason=f"there is no file {shown(given.folder / name)}")
            return given.folder / name
        found = sorted(given.folder.glob("*.graphql"))
        if not found:
            raise given.error("document", reason=f"there is no .graphql document in {shown(given.folder)}")
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise given.error("document", reason=f"there are several ({names}): name the one it is")
        return found[0]

    def _api(self, given: Given, document: Path) -> Api:
        """Take what is said, here or at the document's top; `schema pull` reads the latter."""
        mark, named = mark_in(document), Api.named_in(document)
        if mark and named is None:
            raise given.error(
                "document", reason=f"{shown(document)} says api: {mark}; there are {', '.join(Api)}"
            )
        said = named or Api.TARGETDATA
        wanted = self.options.api or said
        if wanted is not said:
            raise given.error(
                "api",
                reason=f"{wanted}, and {shown(document)} is of {said}: write "
                f"# api: {wanted} as its first line, which targetdata schema pull reads too",
            )
        return wanted

    def _schema_file(self, api: Api) -> Path:
        return from_root(self.options.schema_file) if self.options.schema_file else api.schema_file

    def _query(self, given: Given, document: Path, api: Api) -> Query:
        """Load the document, or say which of file and option is wrong."""
        file = self._schema_file(api)
        if not file.is_file():
            raise given.error(
                "schema_file",
                reason=f"there is no schema {shown(file)}: fetch it with targetdata schema pull --api {api}",
            )
        options = self._query_options(api)
        try:
            return Query.load(shown(document), schema=file, **options)
        except ExtractionError as error:
            blamed = _blamed(document, file, options)
            if blamed is None:
                raise
            raise given.error(blamed, reason=error) from error

    def _query_options(self, api: Api) -> QueryOptions:
        """Give the options that the query takes."""
        options = self.options
        paging = Paging(**options.paging.model_dump()) if options.paging else None
        return {
            "identity": options.identity,
            "root": options.root,
            "kinds": options.kinds,
            "paging": paging,
            "window": options.window,
            "scalars": {**api.scalars, **options.scalars},
            "explode": options.explode,
        }

    def _asset(self, given: Given, query: Query, api: Api) -> dg.AssetsDefinition:
        options = self.options
        keys = self._keys(given, query)
        with given.named("keys"):
            require_keys(query, keys)
        table = keys if isinstance(keys, str) else None
        self.need = Need(table, given.at("keys"), given.at("partitions")) if table else None
        wanted = options.partitions or ("daily" if table or query.window else "none")
        return extract_asset(
            query,
            api=api,
            keys=keys,
            daily=wanted == "daily",
            policies=self._policies(given, query),
            description=options.description,
            owners=options.owners,
            group_name=options.group or str(api),
            tags=options.tags,
            metadata=options.retention,
        )

    def _keys(self, given: Given, query: Query) -> str | ChosenKeys | None:
        """Say where keys come from: an asset, or a file."""
        keys = self.options.keys
        is_file = keys is not None and not re.fullmatch(r"\w+", keys)
        if self.options.key_columns and not is_file:
            raise given.error("key_columns", reason="these are of a file, and keys names none")
        if keys is None or not is_file or not isinstance(query.plan, Keyed):
            return keys
        given.require_no_secret("keys", keys, "a KeyFeed takes it from there with files_variable")
        place = keys if "://" in keys else str(from_root(keys))
        names = query.plan.key_names
        spelled = list(query.plan.kinds) or [key.variable.name.value for key in query.plan.keys]
        columns = self.options.key_columns or dict(zip(names, spelled, strict=True))
        if set(columns) != set(names):
            raise given.error("key_columns", reason=f"the key columns are {', '.join(names)}")
        require = "any" if query.plan.kinds else "all"
        return ChosenKeys(
            query,
            lambda _, days: dict.fromkeys(days, read_key_file(place, columns=columns, require=require).keys),
        )

    def _policies(self, given: Given, query: Query) -> Policies:
        """Give what the options say in place of the settings."""
        options = self.options
        policies: Policies = {}
        if options.max_failed is not None:
            policies["max_failed"] = options.max_failed
        if options.schema_changes is not None:
            policies["schema_changes"] = options.schema_changes
        with given.named(self._rule_of_privacy()):
            policies["privacy"] = Privacy.of(
                query,
                pseudonymise=options.pseudonymise,
                test_profiles=options.test_profiles,
                only_permission=options.only_permission,
                fields=environment().wide_fields,
            )
        return policies

    def _rule_of_privacy(self) -> str:
        """Name the rule that is set, for errors; that of several is said in the error itself."""
        rules = ("pseudonymise", "test_profiles", "only_permission")
        given = [rule for rule in rules if rule in self.options.model_fields_set]
        return given[0] if len(given) == 1 else ""


def _blamed(document: Path, schema: Path, options: QueryOptions) -> str | None:
    """Find the option without which the document loads."""
    for name in options:
        without = {key: value for key, value in options.items() if key != name}
        try:
            Query.load(document, schema=schema, **cast("QueryOptions", without))
        except ExtractionError:
            continue
        return name
    return None
