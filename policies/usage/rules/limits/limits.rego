# METADATA
# title: Limits
# description: >-
#   How many candidates a search may show: by purpose, else the least of the default and of what is
#   set for the caller's kinds of organisation.
# scope: package
package usage.rules.limits

import data.usage.actor

law := data.law.limits

answered if {
	is_array(law.classes)
	not concerned
}

answered if {
	concerned
	is_number(maximum)
	maximum >= 1
}

obligations contains {"kind": "max_results", "value": maximum, "law": "limits"} if concerned

concerned if {
	some class in actor.classes
	class in law.classes
}

by_purpose := law.max_results.purposes[input.purpose]

maximum := by_purpose

# The engines' own min and max are not used: one of them compares numbers as text.
maximum := value if {
	not by_purpose
	some value in candidates
	every other in candidates {
		is_number(other)
		value <= other
	}
}

candidates contains law.max_results.default

candidates contains law.max_results.kinds[kind] if some kind in actor.kinds
