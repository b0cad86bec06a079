# METADATA
# title: The facts
# description: >-
#   What is wrong with the shape of the facts, or with the words in them that the law must know.
#   policies/README.md lists every fact.
# scope: package
package usage.request

import data.usage.actor
import data.usage.dates

violations contains {
	"code": "FACTS_MALFORMED",
	"message": concat("", ["The fact ", name, " must be ", shape, "."]),
} if {
	some name, shape in malformed
}

# What follows reads the facts, and so wants them well-formed.
violations contains {
	"code": "ACTION_UNKNOWN",
	"law": "actions",
	"message": "The law does not know this action.",
} if {
	well_formed
	not action_known
}

violations contains {
	"code": "TENANT_KIND_UNKNOWN",
	"law": "kinds",
	"message": "The law does not know a kind of organisation that the tenant is registered as.",
} if {
	well_formed
	some kind in actor.kinds
	not data.law.kinds[kind]
}

violations contains {
	"code": "CLIENT_UNKNOWN",
	"law": "kinds",
	"message": "on_behalf_of must name a registered tenant, or a kind of organisation that the law knows.",
} if {
	well_formed
	input.on_behalf_of != ""
	not client_known
}

violations contains {
	"code": "JURISDICTION_UNKNOWN",
	"law": "jurisdictions",
	"message": "The jurisdiction must be a country's ISO 3166 code such as \"IT\", or a part of one such as \"US-WA\".",
} if {
	well_formed
	input.jurisdiction != ""
	not data.law.jurisdictions[actor.country(input.jurisdiction)]
}

action_known if {
	is_array(actor.classes)
	count(actor.classes) > 0
}

client_known if data.law.kinds[input.on_behalf_of]

client_known if input.client.id == input.on_behalf_of

well_formed if count(malformed) == 0

# Only names are given to what is negated, never a reference that may be missing: of that the engines
# make different things.
malformed[name] := "a string" if {
	some name in ["action", "case", "jurisdiction", "on_behalf_of", "purpose"]
	not text(name)
}

malformed[name] := "\"yes\", \"no\" or empty" if {
	some name in ["public_space", "realtime"]
	not yes_or_no(name)
}

malformed[name] := "an object" if {
	some name in ["evidence", "request"]
	not mapping(name)
}

malformed["principal"] := "an object with an id and a list of roles" if not principal

malformed["tenant"] := "a tenant's record" if not record("tenant")

malformed["client"] := "absent, or a tenant's record" if {
	"client" in object.keys(input)
	not record("client")
}

malformed["time"] := "an instant: now as 2026-11-22T00:35:37Z, ns as an integer" if not instant

text(name) if is_string(input[name])

# What is not said is not known: facts that were recorded before there was this word hold as well.
yes_or_no(name) if not name in object.keys(input)

yes_or_no(name) if input[name] in {"", "no", "yes"}

mapping(name) if is_object(input[name])

principal if {
	named(input.principal.id)
	is_array(input.principal.roles)
}

record(name) if {
	named(input[name].id)
	named(input[name].kind)
	named(input[name].jurisdiction)
	is_array(object.get(input[name], "serves", []))
}

# The length comes first, so that the expression is never asked about a long text.
instant if {
	is_number(input.time.ns)
	is_string(input.time.now)
	count(input.time.now) == 20
	dates.shape(input.time.now) == "0000-00-00T00:00:00Z"
}

named(value) if {
	is_string(value)
	value != ""
}
