package access

import (
	"fmt"
	"net/url"
	"strings"

	"previewenv/infra/local/edge"
)

func (w *Witness) balancer(call edge.Call, body []byte) ([]Request, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	action := "elasticloadbalancing:" + call.Operation
	if edge.ReadOnly(call.Operation) {
		return one(action, "*"), nil
	}
	listener := arn("elasticloadbalancing", "listener/"+sampleListener)
	rule := arn("elasticloadbalancing", "listener-rule/"+sampleListener+"/0123456789abcdef")
	group := func(name string) string {
		return arn("elasticloadbalancing", "targetgroup/"+w.name(name)+"/0123456789abcdef")
	}
	switch call.Operation {
	case "CreateTargetGroup":
		return created(action, group(form.Get("Name")), group(form.Get("Name")), formTags(form)), nil
	case "CreateRule":
		if !strings.HasSuffix(form.Get("ListenerArn"), ":listener/"+w.places.LoadBalancer) {
			return nil, fmt.Errorf("the listener %s is not the catalog's", form.Get("ListenerArn"))
		}
		return created(action, listener, rule, formTags(form)), nil
	case "ModifyRule", "DeleteRule":
		if !w.mayLook(call) {
			return nil, nil
		}
		return onThere(action, rule, w.tags.balancer(form.Get("RuleArn"))), nil
	case "ModifyTargetGroup", "ModifyTargetGroupAttributes", "DeleteTargetGroup":
		if !w.mayLook(call) {
			return nil, nil
		}
		arn := form.Get("TargetGroupArn")
		_, after, _ := strings.Cut(arn, ":targetgroup/")
		name, _, _ := strings.Cut(after, "/")
		return onThere(action, group(name), w.tags.balancer(arn)), nil
	}
	return nil, errUnknown
}

// sampleListener is that of infra/catalog.yaml.
const sampleListener = "app/staging/0123456789abcdef/fedcba9876543210"

// created are the creation, and the tagging that comes with it.
func created(action, on, made string, tags map[string]string) []Request {
	service, operation, _ := strings.Cut(action, ":")
	context := tagged("aws:RequestTag", tags)
	tagging := map[string]string{"elasticloadbalancing": "AddTags", "ecs": "TagResource"}[service]
	asked := []Request{{Action: action, Resource: on, Context: context}}
	if len(tags) > 0 {
		asked = append(asked, Request{Action: service + ":" + tagging, Resource: made, Context: with(context, service+":CreateAction", operation)})
	}
	return asked
}

// formTags are those of a request of the query protocol.
func formTags(form url.Values) map[string]string {
	tags := map[string]string{}
	for key := range form {
		if at, ok := strings.CutSuffix(key, ".Key"); ok && strings.HasPrefix(key, "Tags.member.") {
			tags[form.Get(key)] = form.Get(at + ".Value")
		}
	}
	return tags
}
