package edge

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"previewenv/infra/local/manner"
	"previewenv/infra/local/model"
)

func TestAListIsBehindForAWhileAndADescribeIsNot(t *testing.T) {
	made := "old"
	e, cfg := struckEdge(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ListServices") {
			fmt.Fprintf(w, `{"serviceArns":[%q]}`, made)
			return
		}
		fmt.Fprintf(w, `{"services":[{"status":%q}]}`, made)
	})
	client := ecs.NewFromConfig(cfg)
	listed := func() string {
		out, err := client.ListServices(t.Context(), &ecs.ListServicesInput{Cluster: aws.String("c")})
		if err != nil {
			t.Fatal(err)
		}
		return out.ServiceArns[0]
	}
	count := func() map[string]int {
		made = "old"
		listed()
		made = "new"
		counts := map[string]int{}
		for range 40 {
			counts[listed()]++
			if status, err := describe(t.Context(), cfg); err != nil || status != made {
				t.Fatalf("the service itself is described as %q: %v", status, err)
			}
		}
		return counts
	}
	if got := count(); got["new"] != 40 {
		t.Errorf("without manners a list is behind: %v", got)
	}
	e.Lag(&manner.Manners{Seed: 1, Factor: 1})
	if got := count(); got["old"] == 0 || got["new"] < got["old"] {
		t.Errorf("a change just made is listed as %v", got)
	}
	e.Lag(&manner.Manners{Seed: 1, Factor: 1e9})
	if got := count(); got["new"] != 40 {
		t.Errorf("a change long ago is listed as %v", got)
	}
}

func TestTheJudgeSeesRequestAndAnswer(t *testing.T) {
	e, cfg := struckEdge(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"services":[{"status":"ACTIVE","colour":"red"}]}`)
	})
	models, err := model.Load(filepath.Join("..", "..", "..", ".local", "venv", "bin"))
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	e.Judge(models, func(c Call, found []model.Violation) {
		for _, v := range found {
			said = append(said, c.Environment+" "+c.Caller+" "+v.String())
		}
	})
	if _, err := describe(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	_, _ = ecs.NewFromConfig(cfg).ListServices(t.Context(), &ecs.ListServicesInput{LaunchType: "CLOUD"})
	want := []string{
		"pr1 plan ecs DescribeServices, the answer: services[0].colour is no member of it",
		`pr1 plan ecs ListServices: launchType is "CLOUD": is none of EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES`,
	}
	for i, line := range want {
		if i >= len(said) || said[i] != line {
			t.Errorf("the judge said %q, want %q first", said, want)
			break
		}
	}
}
