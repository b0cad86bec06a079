# METADATA
# title: Duties
# description: >-
#   What an adopted regime, or the operator's own law, asks of the calls that it binds and does not
#   forbid: whatever is under `asks`, as obligations. A kind that the server does not know refuses the
#   call there.
# scope: package
package usage.rules.duties

import data.usage.scope

answered if {
	is_array(data.law.regimes.adopted)
	is_object(data.law.duties)
	every _, entry in duties {
		is_object(entry.asks)
		count(entry.asks) > 0
	}
}

obligations contains {"kind": kind, "value": value(kind, asked), "law": id} if {
	some id, entry in duties
	scope.binds(entry)
	some kind, asked in entry.asks
}

duties[id] := entry if {
	some regime in data.law.regimes.adopted
	some key, entry in data.regimes[regime].duties
	id := concat("/", [regime, key])
}

duties[id] := entry if {
	some key, entry in data.law.duties
	id := concat("/", ["duties", key])
}

# Outputs may last as long as the authorisation that they rest on. Without one there is no such
# moment, and who is to keep the obligation must refuse the call.
value(kind, asked) := expiry if lasting(kind, asked)

value(kind, asked) := asked if not lasting(kind, asked)

lasting("delete_by", "authorisation")

default expiry := "authorisation"

expiry := input.evidence.authorisation.expires if is_string(input.evidence.authorisation.expires)
