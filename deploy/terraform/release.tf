# The chart, with values that `modules/values` works out.

module "values" {
  source = "./modules/values"

  image           = var.image
  hosts           = var.hosts
  ingress         = var.ingress
  rollout         = var.rollout
  settings        = var.settings
  allow_targets   = var.allow_targets
  database_cidrs  = var.database_cidrs
  database_port   = local.postgres_port
  service_monitor = var.service_monitor
  secret_name     = kubernetes_secret_v1.this.metadata[0].name
  secret_keys     = local.keys
}

resource "helm_release" "this" {
  name      = var.name
  namespace = kubernetes_namespace_v1.this.metadata[0].name
  chart     = "${path.module}/../helm/exosphere-alerts"

  values = concat([yamlencode(module.values.values)], var.extra_values)

  # A release that does not come up is taken back, with the reason in the plan's output.
  atomic  = true
  timeout = 600
}
