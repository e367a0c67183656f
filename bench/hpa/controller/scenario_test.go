package controller

import (
	autoscaling "k8s.io/api/autoscaling/v2"
)

// Scenario is what scenarios.ts writes; the comments in scenario.ts say what each part means. Seconds count from the start.
type Scenario struct {
	Name     string                              `json:"name"`
	About    string                              `json:"about"`
	Seconds  float64                             `json:"seconds"`
	Replicas int32                               `json:"replicas"`
	Flags    Flags                               `json:"flags"`
	HPA      autoscaling.HorizontalPodAutoscaler `json:"hpa"`
	Changes  []Change                            `json:"changes"`
	Pods     PodModel                            `json:"pods"`
	Metrics  []MetricModel                       `json:"metrics"`
}

type Flags struct {
	SyncPeriodSeconds              float64 `json:"syncPeriodSeconds"`
	DownscaleStabilizationSeconds  float64 `json:"downscaleStabilizationSeconds"`
	Tolerance                      float64 `json:"tolerance"`
	CPUInitializationPeriodSeconds float64 `json:"cpuInitializationPeriodSeconds"`
	InitialReadinessDelaySeconds   float64 `json:"initialReadinessDelaySeconds"`
}

// Change puts other bounds, or another number of replicas (as a person would), in force half a second after At.
type Change struct {
	At          float64 `json:"at"`
	MinReplicas *int32  `json:"minReplicas"`
	MaxReplicas *int32  `json:"maxReplicas"`
	Replicas    *int32  `json:"replicas"`
}

type PodModel struct {
	Running Steps   `json:"running"`
	Ready   Steps   `json:"ready"`
	Drain   float64 `json:"drain"`
	// Thousandths of a core; the loader's may be absent.
	ServerRequest int64     `json:"serverRequest"`
	LoaderRequest *int64    `json:"loaderRequest"`
	Unready       []Spell   `json:"unready"`
	Surge         []Surge   `json:"surge"`
	Most          Steps     `json:"most"`
	Failed        []Failure `json:"failed"`
}

type MetricModel struct {
	Total  Steps        `json:"total"`
	Start  int64        `json:"start"`
	Age    float64      `json:"age"`
	Window float64      `json:"window"`
	Away   [][2]float64 `json:"away"`
	Silent []Spell      `json:"silent"`
}

// Spell hits every nth pod, by the number in its name, from one second until another.
type Spell struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Every int     `json:"every"`
}

// Failure has a pod fail; another is created at once, and the failed one is listed until it is cleaned away.
type Failure struct {
	At    float64 `json:"at"`
	Pod   int     `json:"pod"`
	Until float64 `json:"until"`
}

// Surge is pods beyond spec.replicas for a while.
type Surge struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
	Many int     `json:"many"`
}

// Steps is a function of seconds: rows of (from, value), the last row that has begun counts.
type Steps [][2]float64

func (s Steps) at(second float64) float64 {
	value := 0.0
	for _, row := range s {
		if row[0] > second {
			break
		}
		value = row[1]
	}
	return value
}

func (s Spell) hits(second float64, pod int) bool {
	return second >= s.From && second < s.To && pod%s.Every == 0
}
