CREATE DATABASE IF NOT EXISTS departments;
CREATE TABLE IF NOT EXISTS departments.departments (dept_no INT AUTO_INCREMENT PRIMARY KEY, dept_name VARCHAR(40) NOT NULL, changed_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
INSERT INTO departments.departments (dept_name) SELECT CONCAT('department ', seq) FROM departments.seq_1_to_1000 WHERE NOT EXISTS (SELECT 1 FROM departments.departments);
