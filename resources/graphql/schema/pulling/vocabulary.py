"""Names to try inside types that nothing is known about, the likeliest first."""

from collections.abc import Iterable

from resources.graphql.columns import snake_case

_NAMES = """
name value type id key code status title version kind label
fieldName fieldValue timestamp date updated created lastSeen changeDate createdDate updatedAt createdAt
permission purpose granted given score details purposes domain primary enabled
field category source url firstSeen updatedDate
consent consented allowed accepted choice decision
channel language text description content message
appId appName app bundleId packageName platform os device deviceId deviceType
count active optIn optOut optedIn verified valid deleted
validFrom validTo validUntil expires expiresAt expiryDate expirationDate startDate endDate
changed modified modifiedAt modifiedDate lastUpdated lastUpdate lastModified lastChanged lastUsed
firstUsed lastLogin registeredAt disclosedDate disclosed disclosedAt shownAt readAt sentAt acceptedAt
grantedAt revokedAt givenAt collectedAt
identifierType identifierName identifierValue idType idName idValue idSpace
attributeName attributeValue attributeType attributeKey
permissionName permissionType permissionValue permissionCode permissionStatus
consentId consentName consentType consentStatus consentString consentDate
purposeId purposeName purposeValue vendor vendorId vendors
notificationId notificationName notificationType noticeId noticeName notice
appVersion osVersion sdkVersion model brand manufacturer
confidence weight rank priority order position index frequency total amount number
owner origin system provider brandId tenant tenantId account accountId customerId userId profileId umid
uuid externalId hash alias displayName shortName longName slug group groupId namespace scope context reason
comment note dataType format unit currency country region city locale email phone ip userAgent cookie cookieId
cookieName tcString gpcSignal legalBasis segment segmentId audience audienceId campaign campaignId event
eventName eventType eventDate eventTime time ttl state
"""

LIKELIEST = 32  # of the names above, before those of other types

_CONTAINERS = """
values items entries list data details purposes vendors channels consents permissions attributes properties
fields metadata meta history children tags labels options settings preferences identifiers devices events
segments info
"""

CONTAINERS = tuple(_CONTAINERS.split())


def vocabulary() -> tuple[str, ...]:
    """Give the names in camel case, then those of several words in snake case."""
    names = [*_NAMES.split(), *CONTAINERS]
    return unique([*names, *map(snake_case, names)])


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Leave out repetitions, keep the order."""
    return tuple(dict.fromkeys(names))
