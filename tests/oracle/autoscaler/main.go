// Autoscaler decides as Knative Serving does, by its own code: the decider that a revision's
// annotations make, the collector of metrics with its windows, and the scaler on top of both.
//
// A trace a line comes in on standard input, what was decided at each of its ticks goes out, as
// JSON both. Times are milliseconds since the same arbitrary moment, a whole number of hours.
package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/zap"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"knative.dev/serving/pkg/apis/autoscaling/v1alpha1"
	"knative.dev/serving/pkg/autoscaler/config"
	"knative.dev/serving/pkg/autoscaler/metrics"
	"knative.dev/serving/pkg/autoscaler/scaling"
	kpa "knative.dev/serving/pkg/reconciler/autoscaling/kpa/resources"
	"knative.dev/serving/pkg/reconciler/autoscaling/resources"
)

// Trace is a revision and what happens to it.
type Trace struct {
	ContainerConcurrency int64             `json:"containerConcurrency"`
	Annotations          map[string]string `json:"annotations"`
	Cluster              map[string]string `json:"cluster"` // of the ConfigMap config-autoscaler
	StartMS              int64             `json:"startMs"`
	Ready                int               `json:"ready"` // at the start
	Ticks                []Tick            `json:"ticks"`
}

// Tick is a moment at which a scale is asked for, after these samples.
type Tick struct {
	AtMS    int64    `json:"atMs"`
	Ready   int      `json:"ready"`
	Samples []Sample `json:"samples"`
}

// Sample is the concurrency that was measured at a moment.
type Sample struct {
	AtMS        int64   `json:"atMs"`
	Concurrency float64 `json:"concurrency"`
}

// Decision is null where there is nothing to decide on.
type Decision struct {
	Stable    float64 `json:"stable"`
	Panic     float64 `json:"panic"`
	Desired   int32   `json:"desired"`
	Excess    int32   `json:"excess"`
	Panicking bool    `json:"panicking"`
}

type pods struct{ ready int }

func (p *pods) ReadyCount() (int, error)    { return p.ready, nil }
func (p *pods) NotReadyCount() (int, error) { return 0, nil }

var key = types.NamespacedName{Namespace: "default", Name: "revision"}

func decide(trace *Trace) ([]*Decision, error) {
	cluster, err := config.NewConfigFromMap(trace.Cluster)
	if err != nil {
		return nil, err
	}
	pa := &v1alpha1.PodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: key.Namespace, Name: key.Name, Annotations: trace.Annotations,
		},
		Spec: v1alpha1.PodAutoscalerSpec{ContainerConcurrency: trace.ContainerConcurrency},
	}
	log := zap.NewNop().Sugar()
	collector := metrics.NewMetricCollector(
		func(*v1alpha1.Metric, *zap.SugaredLogger) (metrics.StatsScraper, error) { return nil, nil },
		log)
	if err := collector.CreateOrUpdate(resources.MakeMetric(pa, "metrics", cluster)); err != nil {
		return nil, err
	}
	defer collector.Delete(key.Namespace, key.Name)

	// Time stands still but for this: a scaler takes the moment of its making from the clock.
	zero := time.Now().Truncate(time.Hour)
	at := func(ms int64) time.Time { return zero.Add(time.Duration(ms) * time.Millisecond) }
	time.Sleep(time.Until(at(trace.StartMS)))
	counter := &pods{trace.Ready}
	scaler := scaling.New(*attribute.EmptySet(), noop.NewMeterProvider(), key.Namespace, key.Name,
		collector, counter, &kpa.MakeDecider(pa, cluster).Spec)
	since := reflect.ValueOf(scaler).Elem().FieldByName("panicTime")

	decisions := make([]*Decision, len(trace.Ticks))
	for i, tick := range trace.Ticks {
		for _, sample := range tick.Samples {
			collector.Record(key, at(sample.AtMS), metrics.Stat{AverageConcurrentRequests: sample.Concurrency})
		}
		counter.ready = tick.Ready
		result := scaler.Scale(log, at(tick.AtMS))
		if !result.ScaleValid {
			continue
		}
		stable, panicked, err := collector.StableAndPanicConcurrency(key, at(tick.AtMS))
		if err != nil {
			return nil, err
		}
		decisions[i] = &Decision{
			stable, panicked, result.DesiredPodCount, result.ExcessBurstCapacity, !since.IsZero(),
		}
	}
	return decisions, nil
}

func answer(t *testing.T, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	answers := json.NewEncoder(out)
	for lines.Scan() {
		var trace Trace
		if err := json.Unmarshal(lines.Bytes(), &trace); err != nil {
			return err
		}
		var decisions []*Decision
		var err error
		synctest.Test(t, func(*testing.T) { decisions, err = decide(&trace) })
		if err != nil {
			return err
		}
		if err := answers.Encode(decisions); err != nil {
			return err
		}
	}
	return lines.Err()
}

func main() {
	out := os.Stdout
	os.Stdout = os.Stderr // a test's verdict is no answer
	// A clock that nothing but Sleep moves is given to tests only: this program is one.
	testing.Main(
		func(string, string) (bool, error) { return true, nil },
		[]testing.InternalTest{{Name: "Autoscaler", F: func(t *testing.T) {
			if err := answer(t, os.Stdin, out); err != nil {
				t.Fatal(err)
			}
		}}},
		nil, nil)
}
