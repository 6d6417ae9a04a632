# On an EKS cluster that is there already, in its VPC.

variable "cluster" {
  description = "Name of the EKS cluster."
  type        = string
}

variable "region" {
  description = "Its region."
  type        = string
}

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws        = { source = "hashicorp/aws", version = "~> 5.60" }
    helm       = { source = "hashicorp/helm", version = "~> 2.14" }
    kubernetes = { source = "hashicorp/kubernetes", version = "~> 2.31" }
  }
}

provider "aws" {
  region = var.region
}

data "aws_eks_cluster" "this" {
  name = var.cluster
}

data "aws_eks_cluster_auth" "this" {
  name = var.cluster
}

data "aws_subnet" "each" {
  for_each = data.aws_eks_cluster.this.vpc_config[0].subnet_ids
  id       = each.value
}

locals {
  cluster = data.aws_eks_cluster.this
  # Those without public addresses, in which nodes and database are.
  private = [for one in data.aws_subnet.each : one if !one.map_public_ip_on_launch]
}

provider "kubernetes" {
  host                   = local.cluster.endpoint
  cluster_ca_certificate = base64decode(local.cluster.certificate_authority[0].data)
  token                  = data.aws_eks_cluster_auth.this.token
}

provider "helm" {
  kubernetes {
    host                   = local.cluster.endpoint
    cluster_ca_certificate = base64decode(local.cluster.certificate_authority[0].data)
    token                  = data.aws_eks_cluster_auth.this.token
  }
}

module "alerts" {
  source = "../.."

  vpc_id                    = local.cluster.vpc_config[0].vpc_id
  subnet_ids                = local.private[*].id
  database_cidrs            = local.private[*].cidr_block
  client_security_group_ids = [local.cluster.vpc_config[0].cluster_security_group_id]

  image   = { repository = "registry.example.com/exosphere-alerts", tag = "0.1.0" }
  hosts   = { min = 2, max = 6 }
  ingress = { host = "alerts.example.com", class_name = "nginx", tls_secret = "alerts-tls" }
  rollout = "beta"
}

output "url" {
  description = "Where the dashboard is, under /settings/alerts."
  value       = module.alerts.url
}

output "bootstrap_key" {
  description = "The first platform key."
  value       = module.alerts.bootstrap_key
  sensitive   = true
}
