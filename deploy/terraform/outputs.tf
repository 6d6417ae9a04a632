output "url" {
  description = "Where browsers and callers reach the hosts."
  value       = module.values.url == null ? "http://${var.name}.${var.namespace}.svc" : module.values.url
}

output "bootstrap_key" {
  description = "The first platform key."
  value       = kubernetes_secret_v1.this.data[local.keys.bootstrap_key]
  sensitive   = true
}

output "database_endpoint" {
  description = "Address and port of the Postgres."
  value       = aws_db_instance.this.endpoint
}

output "database_security_group_id" {
  description = "The database's security group, for others that must reach it."
  value       = aws_security_group.database.id
}

output "namespace" {
  description = "The Kubernetes namespace."
  value       = kubernetes_namespace_v1.this.metadata[0].name
}
