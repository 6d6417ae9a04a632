# A Postgres that only the cluster reaches, encrypted, with backups.

resource "random_password" "database" {
  length = 40
  # It stands in a URL.
  special = false
}

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
  tags       = var.tags
}

resource "aws_security_group" "database" {
  name_prefix = "${var.name}-database-"
  description = "Postgres of Exosphere Alerts"
  vpc_id      = var.vpc_id
  tags        = var.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  # By place: ids are known only once what they name is made, and could not be keys.
  count = length(var.client_security_group_ids)

  description                  = "Postgres, from the cluster"
  security_group_id            = aws_security_group.database.id
  referenced_security_group_id = var.client_security_group_ids[count.index]
  ip_protocol                  = "tcp"
  from_port                    = local.postgres_port
  to_port                      = local.postgres_port
}

resource "aws_db_instance" "this" {
  identifier = var.name
  tags       = var.tags

  engine                     = "postgres"
  engine_version             = var.database.engine_version
  auto_minor_version_upgrade = true
  instance_class             = var.database.instance_class
  allocated_storage          = var.database.storage_gib
  max_allocated_storage      = var.database.max_storage_gib
  storage_type               = "gp3"
  storage_encrypted          = true
  kms_key_id                 = var.database.kms_key_id

  db_name  = "alerts"
  username = "alerts"
  password = random_password.database.result
  port     = local.postgres_port

  multi_az               = var.database.multi_az
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.database.id]
  publicly_accessible    = false

  backup_retention_period   = var.database.backup_days
  copy_tags_to_snapshot     = true
  deletion_protection       = var.database.deletion_protection
  skip_final_snapshot       = false
  final_snapshot_identifier = "${var.name}-final"

  performance_insights_enabled    = true
  enabled_cloudwatch_logs_exports = ["postgresql"]
}

locals {
  postgres_port = 5432
  # Hosts speak TLS to it; RDS refuses anything else from Postgres 15 on.
  database_url = format(
    "postgres://%s:%s@%s/%s?sslmode=require",
    aws_db_instance.this.username,
    random_password.database.result,
    aws_db_instance.this.endpoint,
    aws_db_instance.this.db_name,
  )
}
