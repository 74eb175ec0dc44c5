package catalog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/awstest"
)

// publish puts the good catalog, with more services than one call may name.
func publish(t *testing.T, prefix string) (*Catalog, []string, Reader) {
	t.Helper()
	c, err := Parse([]byte(read(t, "good.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"service1", "service2", "web"}
	for i := range batch {
		name := fmt.Sprintf("extra%d", i)
		c.Services[name] = c.Services["service2"]
		names = append(names, name)
	}
	parameters, err := c.Parameters(prefix)
	if err != nil {
		t.Fatal(err)
	}
	client := ssm.NewFromConfig(awstest.Config(t))
	for name, value := range parameters {
		_, err := client.PutParameter(t.Context(), &ssm.PutParameterInput{Name: &name, Value: &value, Type: types.ParameterTypeString})
		if err != nil {
			t.Fatal(err)
		}
	}
	return c, names, Reader{API: client, Prefix: prefix}
}

func TestWhatIsPublishedIsReadBack(t *testing.T) {
	c, names, reader := publish(t, "/previewenv/catalog")
	settings, err := reader.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Settings(), settings); diff != "" {
		t.Errorf("settings (-published +read):\n%s", diff)
	}
	if got := settings.RenderLabel(7, "shop"); got != "pr7" {
		t.Errorf("the label template came back as one that renders %q", got)
	}
	services, err := reader.Services(t.Context(), append(names, "web")...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Services, services); diff != "" {
		t.Errorf("services (-published +read):\n%s", diff)
	}
}

func TestAServiceThatWasNeverPublishedIsNamed(t *testing.T) {
	_, _, reader := publish(t, "/previewenv/catalog")
	_, err := reader.Services(t.Context(), "service1", "service9")
	if err == nil || !strings.Contains(err.Error(), "/services/service9 was never published") {
		t.Errorf("got %v, want an error that names service9", err)
	}
	reader.Prefix = "/elsewhere"
	if _, err := reader.Settings(t.Context()); err == nil {
		t.Error("settings that nobody published were read")
	}
}
