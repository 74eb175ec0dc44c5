package stack

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestAnOutageOfSlackIsThatOfOneChannel(t *testing.T) {
	var s Stack
	var got []string
	front := httptest.NewServer(s.trouble.slack(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = append(got, string(body))
	})))
	defer front.Close()
	post := func(body string) int {
		resp, err := http.Post(front.URL+"/api/chat.postMessage", "", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	end := s.SilenceSlack("C1")
	for body, want := range map[string]int{
		`{"channel":"C1","text":"x"}`: 503, "channel=C1&text=x": 503, `{"channel":"C2","text":"x"}`: 200, "channel=C2&text=x": 200,
	} {
		if status := post(body); status != want {
			t.Errorf("%s is answered %d, want %d", body, status, want)
		}
	}
	end()
	if status := post("channel=C1&text=again"); status != 200 || got[len(got)-1] != "channel=C1&text=again" {
		t.Errorf("after the outage: %d; the last that came was %q", status, got[len(got)-1])
	}
}

func TestTheEndOfABuildIsToldAsOftenAsIsSet(t *testing.T) {
	var s Stack
	s.TellBuilds("lost", 0)
	s.TellBuilds("doubled", 2)
	for commit, want := range map[string]int{"lost": 0, "doubled": 2, "other": 1} {
		if got := s.trouble.events(commit); got != want {
			t.Errorf("the end of %s is told %d times, want %d", commit, got, want)
		}
	}
}

func TestALoadBalancerHasRoomForAHundred(t *testing.T) {
	rules := func(n, groups int) []types.Rule {
		all := []types.Rule{{IsDefault: aws.Bool(true)}}
		for i := range n {
			all = append(all, types.Rule{Actions: []types.Action{{TargetGroupArn: aws.String(fmt.Sprint(i % groups))}}})
		}
		return all
	}
	for name, c := range map[string]struct {
		rules []types.Rule
		want  string
	}{
		"there is room":            {rules(99, 99), ""},
		"target groups run out":    {rules(100, 100), "TooManyUniqueTargetGroupsPerLoadBalancer"},
		"rules run out before":     {rules(100, 7), "TooManyRules"},
		"the default rule is free": {rules(99, 7), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if r := full(c.rules); r != nil {
				got = r.Code
			}
			if got != c.want {
				t.Errorf("refused as %q, want %q", got, c.want)
			}
		})
	}
}
