package controller

import (
	"context"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	coreinformers "k8s.io/client-go/informers/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/scale"
)

const selector = "app=web"

func (f *fleet) object(one *pod) *v1.Pod {
	now := f.now()
	stamp := func(second float64) metav1.Time {
		return metav1.NewTime(f.start.Add(time.Duration(second * float64(time.Second))))
	}
	always := v1.ContainerRestartPolicyAlways
	object := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: podName(one.number), Namespace: "default", Labels: map[string]string{"app": "web"},
			CreationTimestamp: stamp(one.created),
		},
		Spec: v1.PodSpec{
			InitContainers: []v1.Container{{Name: "loader", RestartPolicy: &always, Resources: requests(f.model.LoaderRequest)}},
			Containers:     []v1.Container{{Name: "server", Resources: requests(&f.model.ServerRequest)}},
		},
		Status: v1.PodStatus{Phase: v1.PodPending},
	}
	if one.deletedAt != nil {
		deleted := stamp(*one.deletedAt)
		object.DeletionTimestamp = &deleted
	}
	if now >= one.running {
		started := stamp(one.running)
		object.Status.Phase = v1.PodRunning
		object.Status.StartTime = &started
	}
	if one.failedAt != nil {
		object.Status.Phase = v1.PodFailed
	}
	ready, since := f.readiness(one, now)
	status := v1.ConditionFalse
	if ready {
		status = v1.ConditionTrue
	}
	object.Status.Conditions = []v1.PodCondition{{Type: v1.PodReady, Status: status, LastTransitionTime: stamp(since)}}
	return object
}

func requests(milli *int64) v1.ResourceRequirements {
	if milli == nil {
		return v1.ResourceRequirements{}
	}
	return v1.ResourceRequirements{Requests: v1.ResourceList{v1.ResourceCPU: *resource.NewMilliQuantity(*milli, resource.DecimalSI)}}
}

func podName(number int) string { return fmt.Sprintf("p%d", number) }

// podInformer hands the controller a lister over the fleet; its informer is one that has nothing to tell.
type podInformer struct {
	informer cache.SharedIndexInformer
	fleet    *fleet
}

var _ coreinformers.PodInformer = podInformer{}

func (p podInformer) Informer() cache.SharedIndexInformer { return p.informer }
func (p podInformer) Lister() corelisters.PodLister       { return podLister{fleet: p.fleet} }

type podLister struct {
	corelisters.PodListerExpansion
	fleet *fleet
}

func (l podLister) Pods(string) corelisters.PodNamespaceLister {
	return podNamespaceLister{fleet: l.fleet}
}

func (l podLister) List(wanted labels.Selector) ([]*v1.Pod, error) {
	l.fleet.settle()
	var list []*v1.Pod
	for _, one := range l.fleet.pods {
		if object := l.fleet.object(one); wanted.Matches(labels.Set(object.Labels)) {
			list = append(list, object)
		}
	}
	return list, nil
}

type podNamespaceLister struct {
	corelisters.PodNamespaceListerExpansion
	fleet *fleet
}

func (l podNamespaceLister) List(wanted labels.Selector) ([]*v1.Pod, error) {
	return podLister{fleet: l.fleet}.List(wanted)
}

func (l podNamespaceLister) Get(name string) (*v1.Pod, error) {
	return nil, apierrors.NewNotFound(v1.Resource("pods"), name)
}

// scales is the scale subresource of the Deployment.
type scales struct {
	fleet    *fleet
	recorder *recorder
}

var (
	_ scale.ScalesGetter   = scales{}
	_ scale.ScaleInterface = scales{}
)

func (s scales) Scales(string) scale.ScaleInterface { return s }

func (s scales) Get(context.Context, schema.GroupResource, string, metav1.GetOptions) (*autoscalingv1.Scale, error) {
	s.fleet.settle()
	status := int32(len(s.fleet.live()))
	s.recorder.begin(s.fleet.replicas, status)
	return &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default"},
		Spec:       autoscalingv1.ScaleSpec{Replicas: s.fleet.replicas},
		Status:     autoscalingv1.ScaleStatus{Replicas: status, Selector: selector},
	}, nil
}

func (s scales) Update(_ context.Context, _ schema.GroupResource, wanted *autoscalingv1.Scale, _ metav1.UpdateOptions) (*autoscalingv1.Scale, error) {
	s.fleet.settle()
	s.fleet.replicas = wanted.Spec.Replicas
	s.fleet.settle()
	return wanted, nil
}

func (s scales) Patch(context.Context, schema.GroupVersionResource, string, types.PatchType, []byte, metav1.PatchOptions) (*autoscalingv1.Scale, error) {
	panic("the controller patches no scale")
}
