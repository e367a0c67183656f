// Package controller runs the real HorizontalPodAutoscaler controller of Kubernetes over scenarios, in virtual time, and records what it saw and did
// at each sync. It is a test binary because testing/synctest wants a *testing.T; record.sh builds and runs it.
package controller

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
)

// TestRecord turns each SCENARIOS/x.json into TRACES/x.jsonl: the scenario in the first line, a sync in each line after it.
func TestRecord(t *testing.T) {
	scenarios, traces := os.Getenv("SCENARIOS"), os.Getenv("TRACES")
	if scenarios == "" || traces == "" {
		t.Fatal("SCENARIOS and TRACES must name folders; record.sh sets them")
	}
	// Their back-off compares with a time taken outside of the bubble: the worker would sleep for decades at the first error.
	runtime.ErrorHandlers = nil
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	files, err := filepath.Glob(filepath.Join(scenarios, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenario in %s (%v)", scenarios, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			scenario := Scenario{}
			decoder := json.NewDecoder(strings.NewReader(string(text)))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&scenario); err != nil {
				t.Fatal(err)
			}
			var syncs []*Sync
			synctest.Test(t, func(t *testing.T) { syncs = run(t, &scenario) })
			out := strings.Builder{}
			out.WriteString(strings.TrimSpace(string(text)) + "\n")
			for _, one := range syncs {
				line, err := json.Marshal(one)
				if err != nil {
					t.Fatal(err)
				}
				out.Write(line)
				out.WriteString("\n")
			}
			if err := os.WriteFile(filepath.Join(traces, name+".jsonl"), []byte(out.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}
