# METADATA
# title: Purposes
# description: >-
#   Whether a purpose is covered by those that are allowed. Three-valued, as where GA4GH DUO is matched:
#   yes if it is one of them or within one; a person has to judge if it is broader or beside; else no.
package purpose

match(asked, allowed) := "yes" if covered(asked, allowed)

match(asked, allowed) := "person" if {
	not covered(asked, allowed)
	akin(asked, allowed)
}

match(asked, allowed) := "no" if {
	not covered(asked, allowed)
	not akin(asked, allowed)
}

covered(asked, allowed) if asked in allowed

covered(asked, allowed) if {
	some group in data.purposes.known[asked].within
	group in allowed
}

# Broader: a group of which a part is allowed.
akin(asked, allowed) if {
	data.purposes.groups[asked]
	some one in allowed
	asked in data.purposes.known[one].within
}

# Beside: of the same group.
akin(asked, allowed) if {
	some group in data.purposes.known[asked].within
	some one in allowed
	group in data.purposes.known[one].within
}
