// Command infra is the CDK app: it checks the catalog, and makes of it the stacks
// that put the suite on AWS. The CDK CLI runs it, as cdk.json says: make synth,
// make diff, make deploy.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	settings, err := read(app.Node())
	if err == nil {
		err = build(app, settings)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		jsii.Close()
		os.Exit(1)
	}
	app.Synth(nil)
}
