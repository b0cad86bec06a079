# METADATA
# title: What every rendered manifest keeps
# description: >-
#   The input is {"documents": [...]}, one overlay as kustomize renders it. `violations` holds a
#   sentence for each fault: which object, and what it lacks.
package manifests

violations contains sprintf("%s: %s", [place, fault]) if {
	some place, faults in found
	some fault in faults
}

found[place] contains fault if {
	some workload in workloads
	some fault in pod_faults(workload)
	place := named(workload)
}

found[place] contains fault if {
	some workload in workloads
	some container in containers(workload)
	some fault in container_faults(container)
	place := sprintf("%s, container %s", [named(workload), container.name])
}

found[place] contains fault if {
	some workload in workloads
	some container in lasting(workload)
	some fault in lasting_faults(container)
	place := sprintf("%s, container %s", [named(workload), container.name])
}

found[place] contains fault if {
	some document in input.documents
	some fault in document_faults(document)
	place := named(document)
}

found["the overlay"] contains "has no default-deny NetworkPolicy for both directions" if {
	count([1 |
		some policy in input.documents
		policy.kind == "NetworkPolicy"
		policy.spec.podSelector == {}
		not "ingress" in object.keys(policy.spec)
		not "egress" in object.keys(policy.spec)
		{"Ingress", "Egress"} == {one | some one in policy.spec.policyTypes}
	]) == 0
}

named(document) := sprintf("%s %s", [document.kind, document.metadata.name])

workloads contains document if {
	some document in input.documents
	document.kind in {"Deployment", "StatefulSet", "DaemonSet", "Job"}
}

pod(workload) := workload.spec.template.spec

containers(workload) := array.concat(
	object.get(pod(workload), "initContainers", []),
	pod(workload).containers,
)

# Those that run as long as the pod does: its containers, and its sidecars.
lasting(workload) := [container |
	workload.kind != "Job"
	some container in array.concat(
		pod(workload).containers,
		[one |
			some one in object.get(pod(workload), "initContainers", [])
			object.get(one, "restartPolicy", "") == "Always"
		],
	)
]

pod_faults(workload) := {fault |
	context := object.get(pod(workload), "securityContext", {})
	some [fault, holds] in [
		["runs as root: runAsNonRoot is not true", object.get(context, "runAsNonRoot", false)],
		[
			"its seccompProfile is not RuntimeDefault",
			object.get(context, ["seccompProfile", "type"], "") == "RuntimeDefault",
		],
		[
			"is given a service account's token: automountServiceAccountToken is not false",
			object.get(pod(workload), "automountServiceAccountToken", true) == false,
		],
		["shares the node's namespaces", shares_nothing(pod(workload))],
		["mounts a path of the node", mounts_nothing(pod(workload))],
	]
	not holds
}

shares_nothing(spec) := count([1 |
	some name in ["hostNetwork", "hostPID", "hostIPC"]
	object.get(spec, name, false)
]) == 0

mounts_nothing(spec) := count([1 |
	some volume in object.get(spec, "volumes", [])
	volume.hostPath
]) == 0

container_faults(container) := {fault |
	context := object.get(container, "securityContext", {})
	some [fault, holds] in [
		["can write to its root: readOnlyRootFilesystem is not true", object.get(context, "readOnlyRootFilesystem", false)],
		[
			"may gain privileges: allowPrivilegeEscalation is not false",
			object.get(context, "allowPrivilegeEscalation", true) == false,
		],
		["is privileged", object.get(context, "privileged", false) == false],
		["keeps capabilities: drop is not ALL", "ALL" in object.get(context, ["capabilities", "drop"], [])],
		["may run as root", object.get(context, "runAsNonRoot", true)],
		[
			sprintf("its image %s has no tag that stays", [container.image]),
			pinned(container.image),
		],
	]
	not holds
} | {fault |
	some kind in ["requests", "limits"]
	some resource in ["cpu", "memory"]
	object.get(container, ["resources", kind, resource], "") == ""
	fault := sprintf("has no %s in its %s", [resource, kind])
}

lasting_faults(container) := {fault |
	some probe in ["readinessProbe", "livenessProbe"]
	not probe in object.keys(container)
	fault := sprintf("has no %s", [probe])
} | {fault |
	# An engine that is away is no reason to start the services anew.
	service := object.get(container, ["livenessProbe", "grpc", "service"], "liveness")
	service != "liveness"
	fault := "its livenessProbe asks for more than liveness"
}

document_faults(document) := (((((({"its surge leaves fewer pods than there were: maxUnavailable is not 0" |
	document.kind == "Deployment"
	object.get(document.spec, "replicas", 2) > 1
	object.get(document.spec, ["strategy", "rollingUpdate", "maxUnavailable"], "25%") != 0
} | {"no PodDisruptionBudget selects it" |
	document.kind == "Deployment"
	object.get(document.spec, "replicas", 2) > 1
	not selected_by(document, "PodDisruptionBudget")
}) | {"no NetworkPolicy says who may call it" |
	document.kind == "Deployment"
	not selected_by(document, "NetworkPolicy")
}) | {fault |
	document.kind == "Deployment"
	some container in document.spec.template.spec.containers
	some reference in object.get(container, "envFrom", [])
	some settings in input.documents
	settings.kind == "ConfigMap"
	settings.metadata.name == reference.configMapRef.name
	needed := to_number(settings.data.BEHOLDEN_NOTICE_SECONDS) + to_number(settings.data.BEHOLDEN_DRAIN_SECONDS)
	document.spec.template.spec.terminationGracePeriodSeconds <= needed
	fault := sprintf("is killed before it has drained, which takes up to %v s", [needed])
}) | {"its token is mounted: automountServiceAccountToken is not false" |
	document.kind == "ServiceAccount"
	object.get(document, "automountServiceAccountToken", true)
}) | {"is reachable from outside the cluster" |
	document.kind == "Service"
	object.get(document.spec, "type", "ClusterIP") != "ClusterIP"
}) | {"a secret does not belong into manifests" |
	document.kind == "Secret"
}) | {sprintf("its image %s has no tag that stays", [image]) |
	some path in [["spec", "components", "image"], ["spec", "imageName"]]
	image := object.get(document, path, "")
	image != ""
	not pinned(image)
}

selected_by(workload, kind) if {
	some document in input.documents
	document.kind == kind
	selector := object.get(document.spec, "podSelector", object.get(document.spec, "selector", {}))
	labels := object.get(selector, "matchLabels", {})
	count(labels) > 0
	object.subset(workload.spec.template.metadata.labels, labels)
}

# Digests never move; tags named so should not.
default pinned(_) := false

pinned(image) if contains(image, "@sha256:")

pinned(image) if {
	parts := split(image, "/")
	[_, tag] := split(parts[count(parts) - 1], ":")
	not tag in {"", "latest", "edge", "main", "nightly", "stable"}
}
