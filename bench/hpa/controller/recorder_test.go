package controller

import (
	"encoding/json"
	"slices"

	autoscaling "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
)

// Sync is one line of a trace; bench/hpa/traces.ts reads it.
type Sync struct {
	At      float64 `json:"at"`
	Current int32   `json:"current"`
	Status  int32   `json:"status"`
	Desired int32   `json:"desired"`
	// Reasons of the conditions after the sync.
	Able    string `json:"able,omitempty"`
	Active  string `json:"active,omitempty"`
	Limited string `json:"limited,omitempty"`
	// Whether the condition ScaledToZero holds.
	Zero bool `json:"zero,omitempty"`
	// Bounds in force, where they are others than at the sync before.
	Bounds *[2]int32 `json:"bounds,omitempty"`
	// As listed: name, phase, ready, start, last transition of Ready, deleting. Absent: as at the sync before.
	Pods json.RawMessage `json:"pods,omitempty"`
	// By metric: a value for each listed pod or null, a sum, or null where it failed. Absent: not asked.
	Metrics []any `json:"metrics,omitempty"`
}

type recorder struct {
	fleet   *fleet
	metrics int
	syncs   []*Sync
	open    *Sync
	pods    json.RawMessage
	bounds  [2]int32
}

// begin is called when the controller reads the scale, the first thing that it does.
func (r *recorder) begin(current, status int32) {
	if r.open != nil {
		panic("two syncs within a second")
	}
	r.open = &Sync{At: r.fleet.now(), Current: current, Status: status}
	rows := [][]any{}
	for _, one := range r.fleet.pods {
		object := r.fleet.object(one)
		condition := object.Status.Conditions[0]
		var started any
		if object.Status.StartTime != nil {
			started = object.Status.StartTime.Sub(r.fleet.start).Seconds()
		}
		row := []any{object.Name, object.Status.Phase, condition.Status == v1.ConditionTrue, started, condition.LastTransitionTime.Sub(r.fleet.start).Seconds()}
		if object.DeletionTimestamp != nil {
			row = append(row, true)
		}
		rows = append(rows, row)
	}
	text, err := json.Marshal(rows)
	if err != nil {
		panic(err)
	}
	if !slices.Equal(text, r.pods) {
		r.pods, r.open.Pods = text, text
	}
}

func (r *recorder) note(index int, what any) {
	if r.open.Metrics == nil {
		r.open.Metrics = make([]any, r.metrics)
	}
	r.open.Metrics[index] = what
}

func (r *recorder) failed(index int)                   { r.note(index, nil) }
func (r *recorder) summed(index int, total int64)      { r.note(index, total) }
func (r *recorder) sampled(index int, values []*int64) { r.note(index, values) }

// end is called once a sync is over.
func (r *recorder) end(hpa *autoscaling.HorizontalPodAutoscaler) {
	if r.open == nil {
		return
	}
	one := r.open
	r.open = nil
	one.Desired = r.fleet.replicas
	if bounds := [2]int32{*hpa.Spec.MinReplicas, hpa.Spec.MaxReplicas}; bounds != r.bounds {
		r.bounds, one.Bounds = bounds, &bounds
	}
	for _, condition := range hpa.Status.Conditions {
		switch condition.Type {
		case autoscaling.AbleToScale:
			one.Able = condition.Reason
		case autoscaling.ScalingActive:
			one.Active = condition.Reason
		case autoscaling.ScalingLimited:
			one.Limited = condition.Reason
		case autoscaling.ScaledToZero:
			one.Zero = condition.Status == v1.ConditionTrue
		}
	}
	r.syncs = append(r.syncs, one)
}
