terraform {
  required_version = ">= 1.9"

  required_providers {
    aws        = { source = "hashicorp/aws", version = ">= 5.60" }
    helm       = { source = "hashicorp/helm", version = ">= 2.14" }
    kubernetes = { source = "hashicorp/kubernetes", version = ">= 2.31" }
    random     = { source = "hashicorp/random", version = ">= 3.6" }
  }
}
