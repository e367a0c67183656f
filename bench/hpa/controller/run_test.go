package controller

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	defaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
)

// run drives the controller through a scenario, inside of a bubble.
func run(t *testing.T, scenario *Scenario) []*Sync {
	ctx, cancel := context.WithCancel(t.Context())
	pods := newFleet(scenario)
	log := &recorder{fleet: pods, metrics: len(scenario.HPA.Spec.Metrics)}
	hpa := admitted(t, scenario.HPA)
	client := fake.NewClientset(hpa)
	factory := informers.NewSharedInformerFactory(client, 0)
	seconds := func(number float64) time.Duration { return time.Duration(number * float64(time.Second)) }
	flags := scenario.Flags
	controller := podautoscaler.NewHorizontalController(
		ctx, client.CoreV1(), scales{fleet: pods, recorder: log}, client.AutoscalingV2(), mapper(),
		&source{scenario: scenario, fleet: pods, recorder: log},
		factory.Autoscaling().V2().HorizontalPodAutoscalers(),
		podInformer{informer: factory.Core().V1().Pods().Informer(), fleet: pods},
		seconds(flags.SyncPeriodSeconds), seconds(flags.DownscaleStabilizationSeconds), flags.Tolerance,
		seconds(flags.CPUInitializationPeriodSeconds), seconds(flags.InitialReadinessDelaySeconds),
	)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	// Waiting took a poll; the first sync is at 0.
	start := time.Now()
	pods.start = start
	go controller.Run(ctx, 1)

	autoscalers := client.AutoscalingV2().HorizontalPodAutoscalers("default")
	current := func() *autoscaling.HorizontalPodAutoscaler {
		object, err := autoscalers.Get(ctx, hpa.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return object
	}
	// Half a second past each second: by then a sync of that second is over, with all that follows from it.
	for second := 0.0; second <= scenario.Seconds; second++ {
		time.Sleep(start.Add(seconds(second + 0.5)).Sub(time.Now()))
		pods.settle()
		log.end(current())
		for _, change := range scenario.Changes {
			if change.At != second {
				continue
			}
			if change.Replicas != nil {
				pods.replicas = *change.Replicas
				pods.settle()
			}
			if change.MinReplicas != nil || change.MaxReplicas != nil {
				object := current()
				if change.MinReplicas != nil {
					object.Spec.MinReplicas = change.MinReplicas
				}
				if change.MaxReplicas != nil {
					object.Spec.MaxReplicas = *change.MaxReplicas
				}
				// As the API server does; the controller then looks at once.
				object.Generation++
				if _, err := autoscalers.Update(ctx, object, metav1.UpdateOptions{}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	cancel()
	factory.Shutdown()
	// The timers of the queue end before the bubble does.
	time.Sleep(time.Hour)
	return log.syncs
}

// admitted is the object as the API server would hand it out: quantities in canonical form, defaults filled in.
func admitted(t *testing.T, written autoscaling.HorizontalPodAutoscaler) *autoscaling.HorizontalPodAutoscaler {
	text, err := json.Marshal(written)
	if err != nil {
		t.Fatal(err)
	}
	hpa := &autoscaling.HorizontalPodAutoscaler{}
	if err := json.Unmarshal(text, hpa); err != nil {
		t.Fatal(err)
	}
	hpa.Namespace = "default"
	hpa.Generation = 1
	hpa.ResourceVersion = "1"
	hpa.UID = "uid"
	defaults.SetObjectDefaults_HorizontalPodAutoscaler(hpa)
	return hpa
}

func mapper() meta.RESTMapper {
	group := schema.GroupVersion{Group: "apps", Version: "v1"}
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{group})
	mapper.Add(group.WithKind("Deployment"), meta.RESTScopeNamespace)
	return mapper
}
