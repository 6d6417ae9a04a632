output "values" {
  description = "The chart's values."
  value       = local.values
}

output "yaml" {
  description = "The same, as the chart reads it."
  value       = yamlencode(local.values)
}

output "url" {
  description = "Where browsers reach the hosts; null without an ingress."
  value       = local.url
}
