"""What the store may say no with. No message holds a value of a row."""


class StoreError(Exception):
    """Any of the below."""


class Refused(StoreError):
    """The database refuses what must not happen. Nothing of the transaction was kept."""


class StoreUnavailable(StoreError):
    """The database cannot be reached, is busy or its disk is full. Nothing was kept; try again."""


class TransactionNested(StoreError):
    """A transaction was opened inside another one of the same thread."""


class RowUnknown(StoreError):
    """This tenant has no such row (or another tenant has it, which is not told)."""


class WrongKeys(StoreError):
    """The key-encryption keys are not those that this database was written with."""


class KeyringInvalid(StoreError, ValueError):
    """The text of the key-encryption keys cannot be used."""


class DecryptionFailed(StoreError):
    """A sealed value was changed, moved from another row, or sealed under another key."""


class NotSupported(StoreError):
    """This database engine leaves that to its own tools; the message says to which."""
