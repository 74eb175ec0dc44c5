// Command infra is the CDK app: it checks the catalog, and makes of it the stacks
// that put the suite on AWS. The CDK CLI runs it, as cdk.json says: make synth,
// make diff, make deploy. "infra slack-manifest" prints the manifest of the Slack app
// for what was deployed.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	work := synth
	if len(os.Args) > 1 && os.Args[1] == "slack-manifest" {
		work = func() error { return writeManifest(os.Stdout, outputsFile) }
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func synth() error {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	s, err := readSettings(app.Node())
	if err != nil {
		return err
	}
	if err := makeStacks(app, s); err != nil {
		return err
	}
	app.Synth(nil)
	return nil
}
