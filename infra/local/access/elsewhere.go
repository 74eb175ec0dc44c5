package access

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"previewenv/infra/local/edge"
)

// renamed are the operations that IAM knows by another name
// (docs.aws.amazon.com/service-authorization/latest/reference).
var renamed = map[string]string{
	"HeadObject": "GetObject", "CopyObject": "PutObject", "ListObjectsV2": "ListBucket", "DeleteObjects": "DeleteObject",
}

func (w *Witness) s3(call edge.Call, r *http.Request) ([]Request, error) {
	action := "s3:" + call.Operation
	if name, ok := renamed[call.Operation]; ok {
		action = "s3:" + name
	}
	if action == "s3:GetObject" && r.URL.Query().Has("versionId") {
		action = "s3:GetObjectVersion"
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if action == "s3:ListBucket" {
		return one(action, "arn:aws:s3:::"+w.bucket(bucket)), nil
	}
	keys := []string{key}
	if call.Operation == "DeleteObjects" {
		var err error
		if keys, err = deleted(r); err != nil {
			return nil, err
		}
	}
	var asked []Request
	for _, key := range keys {
		asked = append(asked, Request{Action: action, Resource: w.object(bucket, key)})
	}
	if from, err := url.PathUnescape(r.Header.Get("X-Amz-Copy-Source")); err == nil && from != "" {
		bucket, key, _ := strings.Cut(strings.TrimPrefix(from, "/"), "/")
		asked = append(asked, Request{Action: "s3:GetObject", Resource: w.object(bucket, key)})
	}
	if r.Header.Get("X-Amz-Tagging") != "" {
		asked = append(asked, Request{Action: "s3:PutObjectTagging", Resource: asked[0].Resource})
	}
	return asked, nil
}

// bucket is what a bucket of the installation is for.
func (w *Witness) bucket(name string) string {
	switch name {
	case w.places.Site:
		return "site"
	case w.places.Artifacts:
		return "artifacts"
	case w.places.Sources:
		return "sources"
	}
	return name
}

// deleted are the keys of a DeleteObjects, whose body is put back.
func deleted(r *http.Request) ([]string, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var in struct {
		Objects []struct{ Key string } `xml:"Object"`
	}
	if err := xml.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	var keys []string
	for _, o := range in.Objects {
		keys = append(keys, o.Key)
	}
	return keys, nil
}

var commit = regexp.MustCompile(`[0-9a-f]{40}`)

// buildID is CodeBuild's id of a build.
var buildID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// object is one of the sample: of the site <label>/<commit>/<file>.
func (w *Witness) object(bucket, key string) string {
	bucket = w.bucket(bucket)
	key = buildID.ReplaceAllString(commit.ReplaceAllString(key, "commit"), "build")
	first, _, _ := strings.Cut(key, "/")
	if bucket == "site" && first != "default" {
		key = "label/commit/file"
	}
	return "arn:aws:s3:::" + bucket + "/" + key
}

func (w *Witness) table(call edge.Call, in input) []Request {
	table := arn("dynamodb", "table/Environments")
	if index := in.text("IndexName"); index != "" {
		table += "/index/" + index
	}
	if call.Operation == "TransactWriteItems" {
		return one("dynamodb:PutItem", table) // it is made of puts
	}
	return one("dynamodb:"+call.Operation, table)
}

func (w *Witness) states(call edge.Call) []Request {
	action := "states:" + call.Operation
	switch call.Operation {
	case "StartExecution":
		return one(action, arn("states", "stateMachine:pv-environment"))
	case "DescribeExecution":
		return one(action, arn("states", "execution:pv-environment:label-1-1"))
	}
	return one(action, "*")
}

// simple are the services of which one call names one thing.
func (w *Witness) simple(call edge.Call, in input) ([]Request, error) {
	action := call.Service + ":" + call.Operation
	switch action {
	case "ssm:GetParameters":
		var asked []Request
		for _, name := range in.list("Names") {
			_, path, _ := strings.Cut(strings.TrimPrefix(name, "/"), "/")
			if i := strings.LastIndex(name, "/catalog/"); i >= 0 {
				path = name[i+1:]
			}
			asked = append(asked, Request{Action: action, Resource: arn("ssm", "parameter/pv/"+catalogPath(path))})
		}
		return asked, nil
	case "secretsmanager:GetSecretValue":
		id := in.text("SecretId")
		if strings.HasPrefix(id, "arn:") {
			id = id[:strings.LastIndex(id, "-")] // what Secrets Manager puts behind a name
		}
		return one(action, arn("secretsmanager", "secret:pv/"+id[strings.LastIndexAny(id, "/:")+1:]+"-AbCdEf")), nil
	case "codebuild:StartBuild":
		return []Request{{Action: action, Resource: arn("codebuild", "project/"+in.text("projectName")), Context: given(in)}}, nil
	case "codebuild:BatchGetBuilds":
		var asked []Request
		for _, id := range in.list("ids") {
			project, _, _ := strings.Cut(id, ":")
			asked = append(asked, Request{Action: action, Resource: arn("codebuild", "project/"+project)})
		}
		return asked, nil
	case "ecr:BatchGetImage":
		name := in.text("repositoryName")
		return one(action, arn("ecr", "repository/pv/"+name[strings.LastIndex(name, "/")+1:])), nil
	case "logs:GetLogEvents":
		group := in.text("logGroupName")
		if group == "" {
			group = in.text("logGroupIdentifier")
		}
		return one(action, arn("logs", "log-group:"+group+":log-stream:"+stream(in.text("logStreamName")))), nil
	case "tagging:GetResources":
		return one("tag:GetResources", "*"), nil
	}
	return nil, errUnknown
}

// stream is a log stream of the sample: that of a task is prefix/container/id.
func stream(name string) string {
	if parts := strings.Split(name, "/"); len(parts) == 3 {
		parts[2] = "0123456789abcdef0123456789abcdef"
		return strings.Join(parts, "/")
	}
	return "stream"
}

// catalogPath is the name of a parameter below that of the installation.
func catalogPath(path string) string {
	if strings.HasPrefix(path, "catalog/") {
		return path
	}
	return "catalog/" + path
}

// given are the overrides of a build, as condition keys
// (docs.aws.amazon.com/codebuild/latest/userguide/action-context-keys.html).
func given(in input) map[string]string {
	keys := map[string]string{
		"serviceRoleOverride": "codebuild:serviceRole", "buildspecOverride": "codebuild:source.buildspec",
		"sourceLocationOverride": "codebuild:source.location", "imageOverride": "codebuild:environment.image",
		"environmentTypeOverride": "codebuild:environment.type", "computeTypeOverride": "codebuild:environment.computeType",
	}
	context := map[string]string{}
	for field, key := range keys {
		if in.text(field) != "" {
			context[key] = "given"
		}
	}
	return context
}
