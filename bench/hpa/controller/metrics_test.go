package controller

import (
	"context"
	"errors"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

// source answers the controller's questions by the models of the scenario, in the order of the HPA's metrics.
type source struct {
	scenario *Scenario
	fleet    *fleet
	recorder *recorder
}

var _ metrics.MetricsClient = &source{}

var errAway = errors.New("the metrics API is away")

// find is the number of the metric that the controller asks about.
func (s *source) find(is func(autoscaling.MetricSpec) bool) int {
	for index, spec := range s.scenario.HPA.Spec.Metrics {
		if is(spec) {
			return index
		}
	}
	panic("the controller asks for a metric that is not in the scenario")
}

func (s *source) isAway(index int) bool {
	now := s.fleet.now()
	for _, span := range s.scenario.Metrics[index].Away {
		if now >= span[0] && now < span[1] {
			return true
		}
	}
	return false
}

func (s *source) samples(index int) (metrics.PodMetricsInfo, time.Time, error) {
	s.fleet.settle()
	now := s.fleet.now()
	model := s.scenario.Metrics[index]
	if s.isAway(index) {
		s.recorder.failed(index)
		return nil, time.Time{}, errAway
	}
	taken := s.fleet.start.Add(time.Duration((now - model.Age) * float64(time.Second)))
	total, serving := int64(model.Total.at(now)), int64(s.fleet.serving())
	info := metrics.PodMetricsInfo{}
	values := make([]*int64, len(s.fleet.pods))
	for place, one := range s.fleet.pods {
		if now < one.running || one.failedAt != nil || s.isSilent(model, one.number, now) {
			continue
		}
		value := model.Start
		if s.fleet.isReady(one, now) {
			value = 0
			if one.deletedAt == nil {
				value = total / serving
			}
		}
		values[place] = &value
		info[podName(one.number)] = metrics.PodMetric{
			Timestamp: taken, Window: time.Duration(model.Window * float64(time.Second)), Value: value,
		}
	}
	s.recorder.sampled(index, values)
	return info, taken, nil
}

func (s *source) isSilent(model MetricModel, number int, now float64) bool {
	for _, spell := range model.Silent {
		if spell.hits(now, number) {
			return true
		}
	}
	return false
}

func (s *source) total(index int) (int64, time.Time, error) {
	if s.isAway(index) {
		s.recorder.failed(index)
		return 0, time.Time{}, errAway
	}
	total := int64(s.scenario.Metrics[index].Total.at(s.fleet.now()))
	s.recorder.summed(index, total)
	return total, time.Now(), nil
}

func (s *source) GetResourceMetric(_ context.Context, name v1.ResourceName, _ string, _ labels.Selector, container string) (metrics.PodMetricsInfo, time.Time, error) {
	return s.samples(s.find(func(spec autoscaling.MetricSpec) bool {
		if container != "" {
			return spec.ContainerResource != nil && spec.ContainerResource.Name == name && spec.ContainerResource.Container == container
		}
		return spec.Resource != nil && spec.Resource.Name == name
	}))
}

func (s *source) GetRawMetric(name, _ string, _, _ labels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	return s.samples(s.find(func(spec autoscaling.MetricSpec) bool { return spec.Pods != nil && spec.Pods.Metric.Name == name }))
}

func (s *source) GetObjectMetric(name, _ string, _ *autoscaling.CrossVersionObjectReference, _ labels.Selector) (int64, time.Time, error) {
	return s.total(s.find(func(spec autoscaling.MetricSpec) bool { return spec.Object != nil && spec.Object.Metric.Name == name }))
}

// GetExternalMetric answers with two series, which the controller adds.
func (s *source) GetExternalMetric(name, _ string, _ labels.Selector) ([]int64, time.Time, error) {
	index := s.find(func(spec autoscaling.MetricSpec) bool {
		return spec.External != nil && spec.External.Metric.Name == name
	})
	total, taken, err := s.total(index)
	return []int64{total / 3, total - total/3}, taken, err
}
