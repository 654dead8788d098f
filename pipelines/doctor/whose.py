"""Settings and commands as an advice names them: of the account that is looked at."""

from pipelines.variables import ACCOUNT, PREFIX, account_of, variables


def command(words: str) -> str:
    """Write a command of ours, for the account of this process."""
    account = account_of(PREFIX)
    return f"{f'{ACCOUNT}={account} ' if account else ''}targetdata {words}"


def setting(name: str) -> str:
    """Name the variable that sets a field for the account of this process."""
    return variables(name, PREFIX)[0]
