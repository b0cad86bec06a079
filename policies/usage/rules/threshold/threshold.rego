# METADATA
# title: Minimum similarity
# description: >-
#   How alike two faces must be to be shown as a match: by purpose, else the strictest of the default
#   and of what is set for the caller's kinds of organisation.
# scope: package
package usage.rules.threshold

import data.usage.actor

law := data.law.thresholds

answered if {
	is_array(law.classes)
	not concerned
}

answered if {
	concerned
	is_number(minimum)
	minimum >= 0
	minimum <= 1
}

obligations contains {"kind": "min_similarity", "value": minimum, "law": "thresholds"} if concerned

concerned if {
	some class in actor.classes
	class in law.classes
}

by_purpose := law.min_similarity.purposes[input.purpose]

minimum := by_purpose

# The engines' own min and max are not used: one of them compares numbers as text.
minimum := value if {
	not by_purpose
	some value in candidates
	every other in candidates {
		is_number(other)
		value >= other
	}
}

candidates contains law.min_similarity.default

candidates contains law.min_similarity.kinds[kind] if some kind in actor.kinds
