# What hosts share. It is in Terraform's state too: keep the state as you keep secrets.

resource "kubernetes_namespace_v1" "this" {
  metadata {
    name = var.namespace
    labels = {
      "pod-security.kubernetes.io/enforce" = "restricted"
    }
  }
}

# The key that encrypts endpoints' secrets at rest: without it they are gone, so a change of
# this module never makes another one.
resource "random_bytes" "encryption_key" {
  length = 32

  lifecycle {
    prevent_destroy = true
  }
}

resource "random_password" "bootstrap_key" {
  length  = 48
  special = false
}

resource "kubernetes_secret_v1" "this" {
  metadata {
    name      = var.name
    namespace = kubernetes_namespace_v1.this.metadata[0].name
  }

  data = {
    (local.keys.url)             = local.database_url
    (local.keys.encryption_keys) = "k1:${random_bytes.encryption_key.base64}"
    (local.keys.bootstrap_key)   = "exo_${random_password.bootstrap_key.result}"
  }
}

locals {
  keys = {
    url             = "url"
    encryption_keys = "encryption-keys"
    bootstrap_key   = "bootstrap-key"
  }
}
