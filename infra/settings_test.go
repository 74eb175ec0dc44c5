package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestACatalogOfAnotherFolderIsReadWhereItIs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "elsewhere.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(readFile(t, "catalog.yaml"), "prefix: pv", "prefix: other", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	made, err := synthesize(t.TempDir(), map[string]string{"catalog": file})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := made["PreviewEnvironments-other"]; !ok {
		t.Errorf("the catalog of the folder of the repository was read")
	}
}

func TestZonesAreTwoThatHaveWhatTheSampleNeeds(t *testing.T) {
	if zones, err := sampleZones("use1-az6,use1-az4"); err != nil || len(zones) != 2 {
		t.Errorf("zones = %v, %v", zones, err)
	}
	for given, words := range map[string]string{
		"use1-az1,use1-az3": "neither VPC origins", "us-east-1a,us-east-1b": "not the id of a zone", "use1-az1": "name two", "use1-az1,use1-az1": "name two",
	} {
		if _, err := sampleZones(given); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: the error is %v, want one with %q", given, err, words)
		}
	}
}
