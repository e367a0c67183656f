package controller

import (
	"sort"
	"time"
)

// pod is one pod of the simulated Deployment. Times in seconds from the start.
type pod struct {
	number              int
	created             float64
	running             float64
	ready               float64
	deletedAt, failedAt *float64
}

// fleet is the Deployment with its pods: computed when looked at, so nothing of it can race with the controller.
type fleet struct {
	model    *PodModel
	start    time.Time
	replicas int32
	pods     []*pod
	numbers  int
	gone     map[int]bool
}

func newFleet(scenario *Scenario) *fleet {
	f := &fleet{model: &scenario.Pods, gone: map[int]bool{}}
	f.replicas = scenario.Replicas
	for range scenario.Replicas {
		const hour = 3600
		f.pods = append(f.pods, &pod{number: f.numbers, created: -hour, running: -hour, ready: -hour})
		f.numbers++
	}
	return f
}

func (f *fleet) now() float64 { return time.Since(f.start).Seconds() }

// settle lets pods fail and makes the number of live pods what spec.replicas says.
func (f *fleet) settle() {
	now := f.now()
	for _, failure := range f.model.Failed {
		for _, one := range f.pods {
			if one.number == failure.Pod && one.failedAt == nil && one.deletedAt == nil && now >= failure.At {
				one.failedAt = &failure.At
			}
			if one.number == failure.Pod && one.failedAt != nil && now >= failure.Until {
				f.gone[one.number] = true
			}
		}
	}
	kept := f.pods[:0]
	for _, one := range f.pods {
		drained := one.deletedAt != nil && now >= *one.deletedAt+f.model.Drain
		if !drained && !f.gone[one.number] {
			kept = append(kept, one)
		}
	}
	f.pods = kept
	live := f.live()
	wanted := int(f.replicas)
	for _, surge := range f.model.Surge {
		if now >= surge.From && now < surge.To {
			wanted += surge.Many
		}
	}
	for len(live) < min(wanted, int(f.model.Most.at(now))) {
		running := now + f.model.Running.at(now)
		one := &pod{number: f.numbers, created: now, running: running, ready: running + f.model.Ready.at(now)}
		f.numbers++
		f.pods = append(f.pods, one)
		live = append(live, one)
	}
	// Those that are not ready first, then the youngest.
	sort.SliceStable(live, func(i, j int) bool {
		a, b := f.isReady(live[i], now), f.isReady(live[j], now)
		if a != b {
			return a
		}
		return live[i].created < live[j].created
	})
	for _, one := range live[min(len(live), wanted):] {
		deleted := now
		one.deletedAt = &deleted
		if now < one.running {
			f.gone[one.number] = true
		}
	}
	if len(live) > wanted {
		f.settle()
	}
}

func (f *fleet) live() []*pod {
	var live []*pod
	for _, one := range f.pods {
		if one.deletedAt == nil && one.failedAt == nil {
			live = append(live, one)
		}
	}
	return live
}

func (f *fleet) isReady(one *pod, now float64) bool {
	ready, _ := f.readiness(one, now)
	return ready
}

// readiness is whether a pod is ready, and since when it is or is not.
func (f *fleet) readiness(one *pod, now float64) (bool, float64) {
	if one.failedAt != nil {
		return false, *one.failedAt
	}
	if now < one.running {
		return false, one.created
	}
	if now < one.ready {
		return false, one.running
	}
	since := one.ready
	for _, spell := range f.model.Unready {
		if one.number%spell.Every != 0 || spell.From < one.ready || now < spell.From {
			continue
		}
		if now < spell.To {
			return false, spell.From
		}
		since = max(since, spell.To)
	}
	return true, since
}

// serving is how many pods take load.
func (f *fleet) serving() int {
	count := 0
	for _, one := range f.live() {
		if f.isReady(one, f.now()) {
			count++
		}
	}
	return count
}
