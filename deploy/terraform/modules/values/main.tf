# Works out the chart's values. It makes nothing and needs no provider, so that it is tested
# whole: `terraform test` here, and the chart is rendered with what comes out.

terraform {
  required_version = ">= 1.9"
}

locals {
  scales = var.hosts.max > var.hosts.min
  url    = var.ingress == null ? null : "${var.ingress.tls_secret == "" ? "http" : "https"}://${var.ingress.host}"

  # Both say it: the host refuses private targets that are not opened, and so do nodes.
  allow_targets = length(var.allow_targets) == 0 ? {} : {
    ALERTS_ALLOW_TARGETS = join(",", var.allow_targets)
  }

  values = {
    image = {
      repository = var.image.repository
      tag        = var.image.tag
      digest     = var.image.digest
    }
    imagePullSecrets = [for name in var.image.pull_secrets : { name = name }]

    database = {
      kind     = "postgres"
      postgres = { urlSecret = { name = var.secret_name, key = var.secret_keys.url } }
    }
    secrets = {
      encryptionKeys = { name = var.secret_name, key = var.secret_keys.encryption_keys }
      bootstrapKey   = { name = var.secret_name, key = var.secret_keys.bootstrap_key }
    }

    rollout  = var.rollout
    settings = merge(var.settings, local.allow_targets)

    replicas = var.hosts.min
    autoscaling = {
      enabled     = local.scales
      minReplicas = var.hosts.min
      maxReplicas = var.hosts.max
    }

    ingress = {
      enabled     = var.ingress != null
      className   = try(var.ingress.class_name, "")
      host        = try(var.ingress.host, "")
      tlsSecret   = try(var.ingress.tls_secret, "")
      annotations = try(var.ingress.annotations, {})
    }

    networkPolicy = {
      egress = {
        allow = concat(
          [for cidr in var.database_cidrs : { cidr = cidr, ports = [var.database_port] }],
          [for cidr in var.allow_targets : { cidr = cidr, ports = [] }],
        )
      }
    }

    serviceMonitor = { enabled = var.service_monitor }
  }
}
