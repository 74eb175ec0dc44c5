package edge

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// restOperation tells the operation of a REST service from method, path and
// query; empty where it cannot.
func restOperation(service string, r *http.Request) string {
	path := r.URL.EscapedPath()
	// Smithy's RPC protocols name it in the path.
	if _, after, ok := strings.Cut(path, "/operation/"); ok && strings.HasPrefix(path, "/service/") {
		return after
	}
	switch service {
	case "s3":
		return s3Operation(r.Method, path, r.URL.Query(), r.Header)
	case "lambda", "cloudfront", "cloudfront-keyvaluestore":
		return match(routes[service], r.Method+" "+path)
	}
	return ""
}

type route struct {
	pattern   *regexp.Regexp
	operation string
}

func match(routes []route, request string) string {
	for _, r := range routes {
		if r.pattern.MatchString(request) {
			return r.operation
		}
	}
	return ""
}

func rest(pattern, operation string) route {
	return route{regexp.MustCompile("^" + pattern + "/?$"), operation}
}

// routes are the operations that the local stack has a use for (botocore, the
// http trait of each operation). Segments are escaped, so none holds a slash.
var routes = map[string][]route{
	"lambda": {
		rest("POST /2015-03-31/functions/[^/]+/invocations", "Invoke"),
		rest("POST /2015-03-31/functions", "CreateFunction"),
		rest("GET /2015-03-31/functions", "ListFunctions"),
		rest("GET /2015-03-31/functions/[^/]+", "GetFunction"),
		rest("DELETE /2015-03-31/functions/[^/]+", "DeleteFunction"),
	},
	"cloudfront": {
		rest("POST /2020-05-31/distribution/[^/]+/invalidation", "CreateInvalidation"),
		rest("GET /2020-05-31/distribution/[^/]+/invalidation", "ListInvalidations"),
		rest("GET /2020-05-31/distribution/[^/]+/invalidation/[^/]+", "GetInvalidation"),
		rest("POST /2020-05-31/distribution", "CreateDistribution"),
		rest("GET /2020-05-31/distribution", "ListDistributions"),
		rest("GET /2020-05-31/distribution/[^/]+", "GetDistribution"),
		rest("GET /2020-05-31/distribution/[^/]+/config", "GetDistributionConfig"),
		rest("PUT /2020-05-31/distribution/[^/]+/config", "UpdateDistribution"),
		rest("DELETE /2020-05-31/distribution/[^/]+", "DeleteDistribution"),
		rest("POST /2020-05-31/key-value-store", "CreateKeyValueStore"),
		rest("GET /2020-05-31/key-value-store/[^/]+", "DescribeKeyValueStore"),
	},
	"cloudfront-keyvaluestore": {
		rest("GET /key-value-stores/[^/]+", "DescribeKeyValueStore"),
		rest("GET /key-value-stores/[^/]+/keys", "ListKeys"),
		rest("POST /key-value-stores/[^/]+/keys", "UpdateKeys"),
		rest("GET /key-value-stores/[^/]+/keys/[^/]+", "GetKey"),
		rest("PUT /key-value-stores/[^/]+/keys/[^/]+", "PutKey"),
		rest("DELETE /key-value-stores/[^/]+/keys/[^/]+", "DeleteKey"),
	},
}

// s3Operation goes by the bucket (one segment) or object (more), and by the
// subresource in the query, of which the ones in use are told apart.
func s3Operation(method, path string, query url.Values, header http.Header) string {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case bucket == "":
		return "ListBuckets"
	case query.Has("delete"):
		return "DeleteObjects"
	case query.Has("uploads"):
		if method == http.MethodPost {
			return "CreateMultipartUpload"
		}
		return "ListMultipartUploads"
	case query.Has("uploadId"):
		return map[string]string{"PUT": "UploadPart", "POST": "CompleteMultipartUpload",
			"DELETE": "AbortMultipartUpload", "GET": "ListParts"}[method]
	case query.Has("tagging"):
		return s3Subresource(method, key, "Tagging")
	case key == "":
		return s3Bucket(method, query)
	case method == http.MethodPut && header.Get("X-Amz-Copy-Source") != "":
		return "CopyObject"
	}
	return map[string]string{"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}[method]
}

func s3Subresource(method, key, name string) string {
	verb := map[string]string{"PUT": "Put", "GET": "Get", "DELETE": "Delete"}[method]
	if key == "" {
		return verb + "Bucket" + name
	}
	return verb + "Object" + name
}

func s3Bucket(method string, query url.Values) string {
	for subresource, name := range map[string]string{
		"versioning": "Versioning", "policy": "Policy", "lifecycle": "LifecycleConfiguration",
		"encryption": "Encryption", "location": "Location", "cors": "Cors", "website": "Website",
	} {
		if query.Has(subresource) {
			return s3Subresource(method, "", name)
		}
	}
	switch {
	case method == http.MethodGet && query.Has("versions"):
		return "ListObjectVersions"
	case method == http.MethodGet && query.Get("list-type") == "2":
		return "ListObjectsV2"
	}
	return map[string]string{"PUT": "CreateBucket", "GET": "ListObjects", "HEAD": "HeadBucket", "DELETE": "DeleteBucket"}[method]
}
