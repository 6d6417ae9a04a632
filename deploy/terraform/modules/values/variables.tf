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
  description = "How many host processes, at least and at most."
  type = object({
    min = optional(number, 2)
    max = optional(number, 2)
  })
  default = {}

  validation {
    condition     = var.hosts.min >= 1 && var.hosts.max >= var.hosts.min
    error_message = "hosts: min is at least 1, and max at least min."
  }
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

  validation {
    condition     = var.ingress == null || try(length(var.ingress.host) > 0, false)
    error_message = "ingress.host: name the host that the ingress serves."
  }
}

variable "rollout" {
  description = "Whom alerts are open to."
  type        = string
  default     = "ga"

  validation {
    condition     = contains(["off", "beta", "ga"], var.rollout)
    error_message = "rollout: off, beta or ga."
  }
}

variable "settings" {
  description = "Further settings by their environment variable's name."
  # Not a map, whose values would all become texts.
  type    = any
  default = {}

  validation {
    condition     = !contains(keys(var.settings), "ALERTS_ALLOW_TARGETS")
    error_message = "settings.ALERTS_ALLOW_TARGETS: use allow_targets, which opens the network policy too."
  }

  validation {
    condition     = alltrue([for name in keys(var.settings) : startswith(name, "ALERTS_")])
    error_message = "settings: names are those of environment variables, like ALERTS_LOG."
  }
}

variable "allow_targets" {
  description = "Private networks that alerts may go to."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for one in var.allow_targets : can(cidrhost(one, 0))])
    error_message = "allow_targets: each is a network, like 10.40.0.0/16."
  }
}

variable "database_cidrs" {
  description = "Networks in which the database is."
  type        = list(string)
}

variable "database_port" {
  description = "The database's port."
  type        = number
}

variable "service_monitor" {
  description = "Whether Prometheus' operator is there to follow a ServiceMonitor."
  type        = bool
  default     = false
}

variable "secret_name" {
  description = "The Kubernetes secret with URL and keys."
  type        = string
}

variable "secret_keys" {
  description = "Which key of it has what."
  type = object({
    url             = string
    encryption_keys = string
    bootstrap_key   = string
  })
}
