variables {
  image          = { repository = "registry.example.com/exosphere-alerts", tag = "0.1.0" }
  database_cidrs = ["10.20.0.0/24", "10.20.1.0/24"]
  database_port  = 5432
  secret_name    = "alerts"
  secret_keys    = { url = "url", encryption_keys = "encryption-keys", bootstrap_key = "bootstrap-key" }
}

run "two_hosts_that_do_not_scale_unless_asked" {
  command = plan

  assert {
    condition     = output.values.replicas == 2 && !output.values.autoscaling.enabled
    error_message = "two hosts, and no autoscaling"
  }

  assert {
    condition     = output.values.database.postgres.urlSecret.name == "alerts"
    error_message = "the URL comes from the secret"
  }

  assert {
    condition     = output.url == null && !output.values.ingress.enabled
    error_message = "no ingress unless asked"
  }

  assert {
    condition     = [for one in output.values.networkPolicy.egress.allow : one.cidr] == ["10.20.0.0/24", "10.20.1.0/24"]
    error_message = "hosts reach the database and nothing else that is private"
  }
}

run "what_is_opened_is_opened_in_both_places" {
  command = plan

  variables {
    allow_targets = ["10.40.0.0/16", "10.41.0.0/16"]
  }

  assert {
    condition     = output.values.settings.ALERTS_ALLOW_TARGETS == "10.40.0.0/16,10.41.0.0/16"
    error_message = "the host is told"
  }

  assert {
    condition     = contains([for one in output.values.networkPolicy.egress.allow : one.cidr], "10.41.0.0/16")
    error_message = "the network policy is told"
  }
}

run "a_number_stays_a_number_beside_a_text" {
  command = plan

  variables {
    settings = { ALERTS_LOG = "debug", ALERTS_TENANT_RATE_LIMIT = 600 }
  }

  assert {
    condition     = strcontains(output.yaml, "\"ALERTS_TENANT_RATE_LIMIT\": 600")
    error_message = "the chart takes no text where a number belongs"
  }
}

run "an_ingress_with_a_certificate_is_https" {
  command = plan

  variables {
    ingress = { host = "alerts.example.com", tls_secret = "alerts-tls" }
    hosts   = { min = 2, max = 6 }
  }

  assert {
    condition     = output.url == "https://alerts.example.com"
    error_message = "the URL is https"
  }

  assert {
    condition     = output.values.autoscaling.enabled && output.values.autoscaling.maxReplicas == 6
    error_message = "more at most than at least means autoscaling"
  }
}

run "an_unknown_rollout_is_refused" {
  command = plan
  variables { rollout = "maybe" }
  expect_failures = [var.rollout]
}

run "fewer_hosts_at_most_than_at_least_are_refused" {
  command = plan
  variables { hosts = { min = 4, max = 3 } }
  expect_failures = [var.hosts]
}

run "targets_are_opened_in_one_place_alone" {
  command = plan
  variables { settings = { ALERTS_ALLOW_TARGETS = "10.0.0.0/8" } }
  expect_failures = [var.settings]
}

run "a_target_that_is_no_network_is_refused" {
  command = plan
  variables { allow_targets = ["internal.example.com"] }
  expect_failures = [var.allow_targets]
}
