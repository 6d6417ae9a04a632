variable "name" {
  description = "Name of the release, the database and what belongs to them."
  type        = string
  default     = "exosphere-alerts"

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$", var.name))
    error_message = "name: 1 to 40 lowercase letters, digits and hyphens, a letter first."
  }
}

variable "namespace" {
  description = "Kubernetes namespace, which is made."
  type        = string
  default     = "exosphere-alerts"
}

variable "vpc_id" {
  description = "VPC of the cluster, in which the database is made."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets for the database, in at least two availability zones."
  type        = list(string)

  validation {
    condition     = length(distinct(var.subnet_ids)) >= 2
    error_message = "subnet_ids: RDS wants subnets in at least two availability zones."
  }
}

variable "database_cidrs" {
  description = "The networks of those subnets: where pods may reach the database."
  type        = list(string)

  validation {
    condition     = length(var.database_cidrs) > 0 && alltrue([for one in var.database_cidrs : can(cidrhost(one, 0))])
    error_message = "database_cidrs: at least one network, each like 10.20.0.0/20."
  }
}

variable "client_security_group_ids" {
  description = "Security groups of the cluster's nodes or pods, which may reach the database."
  type        = list(string)

  validation {
    condition     = length(var.client_security_group_ids) > 0
    error_message = "client_security_group_ids: name the security group of the cluster's nodes, or no host reaches the database."
  }
}

variable "database" {
  description = "The managed Postgres: class, storage in GiB, whether it has a standby, days of backups, and whether it can be deleted."
  type = object({
    instance_class      = optional(string, "db.t4g.medium")
    engine_version      = optional(string, "17")
    storage_gib         = optional(number, 50)
    max_storage_gib     = optional(number, 500)
    multi_az            = optional(bool, true)
    backup_days         = optional(number, 14)
    deletion_protection = optional(bool, true)
    kms_key_id          = optional(string)
  })
  default = {}

  validation {
    condition     = var.database.backup_days >= 1 && var.database.backup_days <= 35
    error_message = "database.backup_days: from 1 to 35."
  }

  validation {
    condition     = var.database.max_storage_gib >= var.database.storage_gib
    error_message = "database.max_storage_gib: at least storage_gib."
  }
}

variable "image" {
  description = "The container image, and the secrets to pull it with."
  type = object({
    repository   = string
    tag          = optional(string, "")
    digest       = optional(string, "")
    pull_secrets = optional(list(string), [])
  })
}

variable "hosts" {
  description = "Host processes; more than min where a metrics adapter serves alerts_deliveries_in_memory."
  type = object({
    min = optional(number, 2)
    max = optional(number, 2)
  })
  default = {}
}

variable "ingress" {
  description = "How browsers and callers come in; null for none."
  type = object({
    host        = string
    class_name  = optional(string, "")
    tls_secret  = optional(string, "")
    annotations = optional(map(string), {})
  })
  default = null
}

variable "rollout" {
  description = "Whom alerts are open to: off, beta or ga."
  type        = string
  default     = "ga"
}

variable "settings" {
  description = "Further settings by their environment variable's name, like ALERTS_TENANT_RATE_LIMIT."
  # Not a map, whose values would all become texts.
  type    = any
  default = {}
}

variable "allow_targets" {
  description = "Private networks that alerts may go to: opened in the host and in the network policy."
  type        = list(string)
  default     = []
}

variable "service_monitor" {
  description = "Whether Prometheus' operator is there to follow a ServiceMonitor."
  type        = bool
  default     = false
}

variable "extra_values" {
  description = "Values of the chart, as YAML, that win over what this module decides."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "Tags on what is made in AWS."
  type        = map(string)
  default     = {}
}
