package main

func (p *previews) makeAlarms() error { return nil }

func (p *previews) makeDashboard() error { return nil }

func (p *previews) makeSample() error { return nil }
