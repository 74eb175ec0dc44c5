// Package slack is how the suite speaks Slack: it checks that a request comes
// from Slack, reads commands, forms and buttons into typed wishes, and renders
// the record of an environment into messages. All of it is pure but the Client,
// which is the one place that calls the Web API. It knows nothing of AWS, of the
// record's table or of what a wish leads to, and it never logs.
package slack

import slackapi "github.com/slack-go/slack"

// Block is one Block Kit block of a message.
type Block = slackapi.Block

// Actions of the buttons; the value of each is the label of the environment.
const (
	ActionExtend  = "extend"
	ActionCleanUp = "cleanup"
)

// CallbackProvision is the callback_id of the form that Form.Modal makes.
const CallbackProvision = "provision"

// Fields of a request, as faults name them. They are the JSON names of
// statemachine.Request, and the block_ids of the form's inputs.
const (
	FieldCommit      = "commitId"
	FieldServices    = "servicesToProvision"
	FieldQueues      = "provisionQueues"
	FieldOverrides   = "environmentVariablesOverrides"
	FieldTTL         = "ttlMinutes"
	FieldEnvironment = "environment"
	FieldPullRequest = "pullRequest"
)

// Limits of Block Kit, in characters or pieces: docs.slack.dev/reference/block-kit
// and npm @slack/types 3.2.0.
const (
	maxBlocks  = 50
	maxHeader  = 150
	maxSection = 3000
	maxOptions = 100
	maxOption  = 75
	maxMeta    = 3000
)
