package listing

import data.reason

# METADATA
# title: No theme is a state secret
# description: First no-trade class, defence and security, foreign affairs and cipher.
# custom:
#   code: trade.no_secret
#   facts: [manifest.themes]
#   source: manifest themes, folded
#   law: [data-law-60-2024.42]
gates contains "trade.no_secret" if {
	no_trade
	is_array(input.manifest.themes)
	count(secret) == 0
}

# METADATA
# title: Only a de-identified version
# description: Second no-trade class, personal data. No column that names a person is in the version.
# custom:
#   code: trade.deidentified
#   facts: [manifest.columns]
#   source: manifest columns
#   law: [personal-data-law-91-2025.7]
gates contains "trade.deidentified" if {
	is_array(input.manifest.columns)
	count(naming) == 0
}

# METADATA
# title: Every purpose is one that may be offered
# description: Third no-trade class, what law forbids; resale and re-identification are never a purpose.
# custom:
#   code: purposes.known
#   facts: [manifest.purposes]
#   source: manifest purposes
#   law: [personal-data-law-91-2025.7]
gates contains "purposes.known" if {
	count(input.manifest.purposes) > 0
	count(unheard) == 0
	count(banned) == 0
}

# METADATA
# title: A purpose that people consent to is no group of purposes
# description: Consent is given per purpose, so research as a whole cannot be consented to.
# custom:
#   code: purposes.consentable
#   facts: [manifest.legal_basis, manifest.purposes]
#   source: manifest purposes
#   law: [decree-356-2025.consent]
gates contains "purposes.consentable" if {
	is_string(input.manifest.legal_basis)
	not by_consent
}

# METADATA
# title: People consent to each purpose by itself
# description: Where the basis is consent, each purpose is one and no group.
# custom:
#   code: purposes.consentable
#   facts: [manifest.legal_basis, manifest.purposes]
#   source: manifest purposes
#   law: [decree-356-2025.consent]
gates contains "purposes.consentable" if {
	by_consent
	is_array(input.manifest.purposes)
	count(groups) == 0
}

# METADATA
# title: A theme is a state secret
# description: The gate trade.no_secret does not hold.
# custom:
#   code: trade.secret
#   gate: trade.no_secret
#   facts: [manifest.themes]
#   source: manifest themes, folded
#   law: [data-law-60-2024.42]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, {"themes": secret}) if {
	count(secret) > 0
}

# METADATA
# title: A column names a person
# description: The gate trade.deidentified does not hold.
# custom:
#   code: trade.identifying
#   gate: trade.deidentified
#   facts: [manifest.columns]
#   source: manifest columns
#   law: [personal-data-law-91-2025.7]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, {"columns": naming}) if {
	count(naming) > 0
}

# METADATA
# title: A purpose is offered that is never allowed
# description: The gate purposes.known does not hold.
# custom:
#   code: purposes.never
#   gate: purposes.known
#   facts: [manifest.purposes]
#   source: manifest purposes
#   law: [personal-data-law-91-2025.7]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, {"purposes": banned}) if {
	count(banned) > 0
}

# METADATA
# title: A purpose is offered that is not known
# description: The gate purposes.known does not hold.
# custom:
#   code: purposes.unknown
#   gate: purposes.known
#   facts: [manifest.purposes]
#   source: manifest purposes
#   law: [personal-data-law-91-2025.7]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, {"purposes": unheard}) if {
	count(unheard) > 0
}

# METADATA
# title: No purpose is offered
# description: The gate purposes.known does not hold.
# custom:
#   code: purposes.none
#   gate: purposes.known
#   facts: [manifest.purposes]
#   source: manifest purposes
#   law: [personal-data-law-91-2025.7]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, {}) if {
	input.manifest.purposes == []
}

# METADATA
# title: People are asked to consent to a group of purposes
# description: The gate purposes.consentable does not hold.
# custom:
#   code: purposes.group_by_consent
#   gate: purposes.consentable
#   facts: [manifest.legal_basis, manifest.purposes]
#   source: manifest purposes
#   law: [decree-356-2025.consent]
#   remedy: manifest.change
deny contains reason.denied(rego.metadata.rule().custom, {"purposes": groups}) if {
	by_consent
	count(groups) > 0
}

secret := [theme |
	some theme in input.manifest.themes
	words := concat("", [" ", theme, " "])
	some banned_theme in no_trade.no_trade_themes
	contains(words, concat("", [" ", banned_theme, " "]))
]

naming := [column.name | some column in input.manifest.columns; column.role == "identifier"]

banned := [each | some each in input.manifest.purposes; data.purposes.never[each]]

groups := [each | some each in input.manifest.purposes; data.purposes.groups[each]]

unheard := [each |
	some each in input.manifest.purposes
	not data.purposes.known[each]
	not data.purposes.groups[each]
	not data.purposes.never[each]
]
