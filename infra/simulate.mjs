// Puts requests to a policy evaluator that knows AWS's service authorization
// reference: which resources and which condition keys an action has. It reads
// simulations as JSON on its input and writes an answer for each.
import { runSimulation, runUnsafeSimulation } from '@cloud-copilot/iam-simulate'

// Two generations of load balancers share a prefix, and of these actions the
// evaluator's copy of the reference has the first generation's resources alone: they
// are evaluated without a look at the reference.
const unlisted = ['elasticloadbalancing:AddTags', 'elasticloadbalancing:RemoveTags']

let text = ''
for await (const chunk of process.stdin) text += chunk
const answers = []
for (const { caller, action, resource, context, policies, boundaries } of JSON.parse(text)) {
  const named = (list) => list.map((policy, i) => ({ name: String(i), policy }))
  const simulation = {
    request: {
      principal: `arn:aws:sts::111122223333:assumed-role/${caller}/session`,
      action,
      resource: { resource, accountId: '111122223333' },
      contextVariables: context ?? {},
    },
    identityPolicies: named(policies),
    permissionBoundaryPolicies: boundaries?.length ? named(boundaries) : undefined,
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  }
  if (unlisted.includes(action)) {
    answers.push({ result: runUnsafeSimulation(simulation, {}), error: '', ignored: [] })
    continue
  }
  const result = await runSimulation(simulation, {})
  answers.push({
    result: result.overallResult ?? '',
    error: result.resultType === 'error' ? JSON.stringify(result.errors) : '',
    ignored: result.result?.ignoredContextKeys ?? [],
  })
}
process.stdout.write(JSON.stringify(answers))
